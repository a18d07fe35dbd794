# Prints raking_r.csv: what survey's rake() and postStratify() multiply the weights of
# design_data.csv by.
# From the repository root:
#     Rscript tests/reference/raking.R

suppressPackageStartupMessages(library(survey))
here <- "tests/reference"
data <- read.csv(file.path(here, "design_data.csv"), na.strings = "")
number <- function(x) sprintf("%.17g", x)
margin <- function(column, share, total) {
  out <- data.frame(names(share), Freq = as.numeric(share) / sum(share) * total)
  names(out)[1] <- column
  out
}
total <- 2200
by_group <- margin("group", c(large = 50, medium = 33, none_yes = 15, tiny = 2), total)
by_group2 <- margin("group2", c(x = 45, y = 40, z = 15), total)
by_stratum <- margin("stratum", c(s1 = 480, s2 = 900, s3 = 260, s4 = 85, s5 = 410, s6 = 6), total)
tight <- list(maxit = 2000, epsilon = 1e-9)

rows <- list()
for (start in c("unweighted", "weighted")) {
  w <- if (start == "weighted") data$weight else rep(1, nrow(data))
  design <- svydesign(~1, weights = ~w, data = cbind(data, w = w))
  joint <- data.frame(group2 = c("x", "y", "z", "x", "y", "z"), s1 = rep(c("no", "yes"), each = 3),
                      Freq = c(700, 600, 250, 300, 280, 70))
  with_s1 <- update(design, s1 = ifelse(data$stratum == "s1", "yes", "no"))
  results <- list(
    rake_two = rake(design, list(~group, ~group2), list(by_group, by_group2), control = tight),
    rake_three = rake(design, list(~group, ~group2, ~stratum), list(by_group, by_group2, by_stratum),
                      control = tight),
    post_one = postStratify(design, ~group2, by_group2),
    post_joint = postStratify(with_s1, ~group2 + s1, joint))
  # Respondents of one combination share their factor: one row a combination.
  first <- !duplicated(data[, c("group", "group2", "stratum")])
  for (name in names(results))
    rows[[length(rows) + 1]] <- data.frame(
      start, method = name, data[first, c("group", "group2", "stratum")],
      factor = number((weights(results[[name]]) / w)[first]))
}
result <- do.call(rbind, rows)
result$survey <- as.character(packageVersion("survey"))
write.csv(result, file.path(here, "raking_r.csv"), row.names = FALSE, quote = FALSE)
cat(nrow(result), "factors\n")
