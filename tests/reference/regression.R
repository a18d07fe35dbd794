# Prints regression_r.csv (svyglm, quasibinomial) and regression_r_standardised.csv (percentages
# standardised to everyone's covariates), from design_data.csv. From the repository root:
#     Rscript tests/reference/regression.R
# The standardised percentage of a group is the weighted mean of predictions with everyone put in
# that group. Its standard error is that of the svytotal of its influence values,
#   w (prediction - mean) / W  +  w (y - fitted) x' A^-1 (gradient of the mean),
# worked out respondent by respondent; `fixed_se` leaves out the first part.

suppressPackageStartupMessages(library(survey))
here <- "tests/reference"
everyone <- read.csv(file.path(here, "design_data.csv"), na.strings = "")
everyone$medium <- as.integer(everyone$group == "medium")
many <- everyone[everyone$stratum != "s6", ]
number <- function(x) sprintf("%.17g", x)
tight <- glm.control(epsilon = 1e-14, maxit = 100)

designs_of <- function(data) list(
  unweighted     = svydesign(~1, weights = ~rep(1, nrow(data)), data = data),
  weighted       = svydesign(~1, weights = ~weight, data = data),
  stratified     = svydesign(~1, strata = ~stratum, weights = ~weight, data = data),
  stratified_fpc = svydesign(~1, strata = ~stratum, weights = ~weight, fpc = ~population,
                             data = data))
models <- list(group = y01 ~ group2, job = y01 ~ group2 + medium,
               crossed = y01 ~ group2 * medium, number = y01 ~ group2 + medium + score)

coefficients <- list(); standardised <- list()
add <- function(dataset, data, lonely, designs) {
  options(survey.lonely.psu = lonely)
  for (name in designs) for (model in names(models)) {
    design <- designs_of(data)[[name]]
    answered <- complete.cases(data[, all.vars(models[[model]])])
    part <- design[answered, ]
    fit <- svyglm(models[[model]], part, family = quasibinomial(), control = tight)
    coefficients[[length(coefficients) + 1]] <<- data.frame(
      dataset, design = name, lonely, model, term = names(coef(fit)),
      estimate = number(coef(fit)), se = number(SE(fit)), df = fit$df.residual)
    frame <- part$variables
    w <- weights(part)
    x <- model.matrix(models[[model]], frame)
    mu <- as.numeric(fitted(fit))
    bread <- solve(t(x) %*% (w * mu * (1 - mu) * x))
    score <- w * (frame$y01 - mu) * x
    groups <- c("x", "y", "z")
    influence <- fixed <- matrix(0, nrow(frame), 3)
    value <- numeric(3)
    for (g in 1:3) {
      moved <- transform(frame, group2 = factor(groups[g], levels = groups))
      frame_x <- model.matrix(models[[model]], moved)
      prediction <- as.numeric(plogis(frame_x %*% coef(fit)))
      value[g] <- sum(w * prediction) / sum(w)
      gradient <- colSums(w * prediction * (1 - prediction) * frame_x) / sum(w)
      fixed[, g] <- as.numeric(score %*% bread %*% gradient)
      influence[, g] <- w * (prediction - value[g]) / sum(w) + fixed[, g]
    }
    variance_of <- function(z) {
      z <- z / w  # svytotal weights them again
      colnames(z) <- paste0("z", 1:3)
      part$variables <- cbind(part$variables, as.data.frame(z))
      attr(svytotal(~z1 + z2 + z3, part), "var")
    }
    full <- variance_of(influence); conditional <- variance_of(fixed)
    gap <- c(-1, 0, 1)  # z less x
    standardised[[length(standardised) + 1]] <<- data.frame(
      dataset, design = name, lonely, model, group = c(groups, "z-x"),
      value = number(c(value, sum(gap * value))),
      se = number(sqrt(c(diag(full), t(gap) %*% full %*% gap))),
      fixed_se = number(sqrt(c(diag(conditional), t(gap) %*% conditional %*% gap))))
  }
}
add("many", many, "fail", names(designs_of(many)))
for (lonely in c("remove", "adjust", "average"))
  add("everyone", everyone, lonely, c("stratified", "stratified_fpc"))
for (out in c("coefficients", "standardised")) {
  result <- do.call(rbind, get(out))
  result$survey <- as.character(packageVersion("survey"))
  file <- if (out == "coefficients") "regression_r.csv" else "regression_r_standardised.csv"
  write.csv(result, file.path(here, file), row.names = FALSE, quote = FALSE)
  cat(nrow(result), out, "\n")
}
