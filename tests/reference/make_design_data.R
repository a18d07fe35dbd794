# Writes design_data.csv: synthetic respondents of a stratified design, for the comparison with R.
# Run ONCE; the committed csv is the reference. From the repository root:
#     Rscript tests/reference/make_design_data.R
# Awkward on purpose: groups of 5 and of nobody saying yes, a stratum with one respondent, missing
# answers, a stratum sampled almost whole, uneven weights.

RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20240917)

respondents <- c(s1 = 210, s2 = 150, s3 = 120, s4 = 80, s5 = 40, s6 = 1)
population  <- c(s1 = 480, s2 = 900, s3 = 260, s4 = 85, s5 = 410, s6 = 6)
n <- sum(respondents)

stratum <- rep(names(respondents), respondents)
group <- sample(c("large", "medium", "none_yes"), n, replace = TRUE, prob = c(0.55, 0.3, 0.15))
group[sample(which(stratum != "s6"), 5)] <- "tiny"
group[stratum == "s6"] <- "medium"
group2 <- sample(c("x", "y", "z"), n, replace = TRUE, prob = c(0.6, 0.3, 0.1))
group2[stratum == "s6"] <- "y"

weight <- round(population[stratum] / respondents[stratum] * exp(rnorm(n, 0, 0.5)), 3)
shift <- c(s1 = -0.4, s2 = 0.1, s3 = 0.5, s4 = 0, s5 = 1.1, s6 = 0)[stratum]
y01 <- rbinom(n, 1, plogis(-0.8 + shift + 0.5 * (group == "medium")))
y01[group == "none_yes"] <- 0
y01[stratum == "s6"] <- 1
score <- round(pmin(10, pmax(0, 6.4 - shift + rnorm(n, 0, 2))), 2)
y01[sample(which(stratum != "s6" & group != "tiny"), 45)] <- NA
score[sample(which(stratum != "s6" & group != "tiny"), 60)] <- NA
# Marks the respondents who say yes to the rare answer in the tenfold copy of the data.
rare <- as.integer(seq_len(n) %in% c(17, 300, 452))

data <- data.frame(id = seq_len(n), stratum, population = population[stratum], group, group2,
                   weight, y01, score, rare)
write.csv(data, "tests/reference/design_data.csv", row.names = FALSE, quote = FALSE, na = "")
