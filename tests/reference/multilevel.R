# Prints what lme4 says about documented and made data: multilevel_data.csv (the data),
# multilevel_r.csv (fits) and multilevel_r_effects.csv (random intercepts). From the repository
# root:
#     Rscript tests/reference/multilevel.R
# cbpp (Lesnoff and others 2004), Dyestuff and Dyestuff2 (Davies; Box and Tiao), sleepstudy
# (Belenky and others 2003) are the data lme4 documents itself with. `crossed` (12 x 5 x 2 = 120
# strata, sizes 3 to 400), `sparse` (60 strata of 1 to 12, few yes) and `scores` (unequal groups)
# are made here.

suppressPackageStartupMessages(library(lme4))
here <- "tests/reference"
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20240918)
number <- function(x) sprintf("%.17g", x)

crossed <- expand.grid(a = factor(1:12), b = factor(1:5), c = factor(1:2))
crossed$n <- round(exp(runif(120, log(3), log(400))))
eta <- -1.4 + 0.5 * (crossed$c == 2) + c(0, .2, -.3, .4, .1)[crossed$b] +
  rnorm(12, 0, 0.3)[crossed$a] + rnorm(120, 0, 0.25)
crossed$yes <- rbinom(120, crossed$n, plogis(eta))
crossed$stratum <- factor(1:120)
sparse <- data.frame(stratum = factor(1:60), n = sample(1:12, 60, TRUE))
sparse$yes <- rbinom(60, sparse$n, plogis(-2 + rnorm(60, 0, 0.9)))
scores <- data.frame(group = factor(rep(1:15, times = sample(2:40, 15))))
scores$y <- round(6.3 + rnorm(15, 0, 0.5)[scores$group] + rnorm(nrow(scores), 0, 1.8), 2)

herd <- cbpp$herd
data <- rbind(
  data.frame(dataset = "cbpp", group = as.character(herd), x = as.character(cbpp$period), z = "", n = cbpp$size,
             y = cbpp$incidence),
  data.frame(dataset = "crossed", group = as.character(crossed$stratum), x = as.character(crossed$a),
             z = paste(crossed$b, crossed$c, sep = "/"), n = crossed$n, y = crossed$yes),
  data.frame(dataset = "sparse", group = as.character(sparse$stratum), x = "", z = "", n = sparse$n,
             y = sparse$yes),
  data.frame(dataset = "dyestuff", group = as.character(Dyestuff$Batch), x = "", z = "", n = 1,
             y = Dyestuff$Yield),
  data.frame(dataset = "dyestuff2", group = as.character(Dyestuff2$Batch), x = "", z = "", n = 1,
             y = Dyestuff2$Yield),
  data.frame(dataset = "sleepstudy", group = as.character(sleepstudy$Subject), x = as.character(sleepstudy$Days), z = "",
             n = 1, y = sleepstudy$Reaction),
  data.frame(dataset = "scores", group = as.character(scores$group), x = "", z = "", n = 1, y = scores$y))
data$y <- number(data$y)
write.csv(data, file.path(here, "multilevel_data.csv"), row.names = FALSE, quote = FALSE)

fits <- list(); effects <- list()
add <- function(dataset, model, points, fit, group) {
  sd <- attr(VarCorr(fit)[[group]], "stddev")
  residual <- if (isLMM(fit)) sigma(fit)^2 else NA
  fits[[length(fits) + 1]] <<- data.frame(
    dataset, model, points, what = c(names(fixef(fit)), "variance", "residual", "loglik"),
    value = number(c(fixef(fit), sd^2, residual, as.numeric(logLik(fit)))),
    se = number(c(sqrt(diag(as.matrix(vcov(fit)))), NA, NA, NA)))
  modes <- ranef(fit, condVar = TRUE)[[group]]
  effects[[length(effects) + 1]] <<- data.frame(
    dataset, model, points, group = rownames(modes), mode = number(modes[, 1]),
    variance = number(as.numeric(attr(modes, "postVar"))))
}
tight <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5),
                      tolPwrss = 1e-12)
for (points in c(1, 10)) {
  go <- function(formula, data) glmer(formula, data, binomial, nAGQ = points, control = tight)
  add("cbpp", "null", points, go(cbind(incidence, size - incidence) ~ 1 + (1 | herd), cbpp), "herd")
  add("cbpp", "main", points,
      go(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp), "herd")
  add("crossed", "null", points, go(cbind(yes, n - yes) ~ 1 + (1 | stratum), crossed), "stratum")
  add("crossed", "main", points,
      go(cbind(yes, n - yes) ~ a + b + c + (1 | stratum), crossed), "stratum")
  add("sparse", "null", points, go(cbind(yes, n - yes) ~ 1 + (1 | stratum), sparse), "stratum")
}
strict <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
add("dyestuff", "null", 0, lmer(Yield ~ 1 + (1 | Batch), Dyestuff, control = strict), "Batch")
add("dyestuff2", "null", 0, lmer(Yield ~ 1 + (1 | Batch), Dyestuff2, control = strict), "Batch")
add("sleepstudy", "main", 0,
    lmer(Reaction ~ Days + (1 | Subject), sleepstudy, control = strict), "Subject")
add("scores", "null", 0, lmer(y ~ 1 + (1 | group), scores, control = strict), "group")

for (out in c("fits", "effects")) {
  result <- do.call(rbind, get(out))
  result$lme4 <- as.character(packageVersion("lme4"))
  file <- if (out == "fits") "multilevel_r.csv" else "multilevel_r_effects.csv"
  write.csv(result, file.path(here, file), row.names = FALSE, quote = FALSE)
  cat(nrow(result), out, "\n")
}
