# Prints ratio_r.csv: log ratios and log odds ratios of two proportions of one design, by delta
# method with the covariance of the two, from design_data.csv. From the repository root:
#     Rscript tests/reference/ratio.R

suppressPackageStartupMessages(library(survey))
here <- "tests/reference"
data <- read.csv(file.path(here, "design_data.csv"), na.strings = "")
data <- data[data$stratum != "s6", ]
designs <- list(
  unweighted     = svydesign(~1, weights = ~rep(1, nrow(data)), data = data),
  weighted       = svydesign(~1, weights = ~weight, data = data),
  stratified     = svydesign(~1, strata = ~stratum, weights = ~weight, data = data),
  stratified_fpc = svydesign(~1, strata = ~stratum, weights = ~weight, fpc = ~population,
                             data = data))
number <- function(x) sprintf("%.17g", x)

compare <- function(name, first, second) {
  design <- designs[[name]]
  y <- data$y01
  a <- first & !is.na(y); b <- second & !is.na(y)
  design <- update(design, ya = ifelse(a, y, 0), yb = ifelse(b, y, 0),
                   ia = as.numeric(a), ib = as.numeric(b))
  totals <- svytotal(~ya + yb + ia + ib, design[a | b, ])
  ratio <- svycontrast(totals, quote(log(ya / ia) - log(yb / ib)))
  odds <- svycontrast(totals, quote(log(ya / (ia - ya)) - log(yb / (ib - yb))))
  c(as.numeric(coef(ratio)), as.numeric(SE(ratio)), as.numeric(coef(odds)), as.numeric(SE(odds)))
}

rows <- list()
for (name in names(designs)) for (group in c("x", "y", "z")) {
  inside <- data$group2 == group
  other <- data$group2 == c(x = "y", y = "z", z = "x")[group]
  for (kind in c("other", "rest")) {
    values <- compare(name, inside, if (kind == "other") other else !inside)
    rows[[length(rows) + 1]] <- data.frame(
      design = name, group, kind, log_ratio = number(values[1]), log_ratio_se = number(values[2]),
      log_odds = number(values[3]), log_odds_se = number(values[4]))
  }
}
result <- do.call(rbind, rows)
result$survey <- as.character(packageVersion("survey"))
write.csv(result, file.path(here, "ratio_r.csv"), row.names = FALSE, quote = FALSE)
cat(nrow(result), "ratios\n")
