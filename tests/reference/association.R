# Prints association_r.csv: svychisq with Rao and Scott's corrections, from design_data.csv.
# From the repository root:
#     Rscript tests/reference/association.R

suppressPackageStartupMessages(library(survey))
here <- "tests/reference"
all_rows <- read.csv(file.path(here, "design_data.csv"), na.strings = "")
# Without the group of five: those that compare_groups() finds large enough.
all_rows$group_large <- ifelse(all_rows$group == "tiny", NA, all_rows$group)
number <- function(x) sprintf("%.17g", x)

designs_of <- function(data) list(
  unweighted     = svydesign(~1, weights = ~rep(1, nrow(data)), data = data),
  weighted       = svydesign(~1, weights = ~weight, data = data),
  stratified     = svydesign(~1, strata = ~stratum, weights = ~weight, data = data),
  stratified_fpc = svydesign(~1, strata = ~stratum, weights = ~weight, fpc = ~population,
                             data = data))

rows <- list()
add <- function(dataset, data, lonely, designs) {
  options(survey.lonely.psu = lonely)
  for (name in designs) for (row in c("group", "group2", "group_large")) for (column in c("y01", "group")) {
    if (row == column || (row == "group_large" && column == "group")) next
    design <- designs_of(data)[[name]]
    answered <- !is.na(data$y01)
    if (column == "group") answered <- rep(TRUE, nrow(data))
    part <- design[answered & !is.na(data[[row]]), ]
    formula <- as.formula(paste("~", row, "+", column))
    f <- suppressWarnings(svychisq(formula, part, statistic = "F"))
    chisq <- suppressWarnings(svychisq(formula, part, statistic = "Chisq"))
    rows[[length(rows) + 1]] <<- data.frame(
      dataset, design = name, lonely, row, column, f = number(f$statistic),
      ndf = number(f$parameter[1]), ddf = number(f$parameter[2]), p_f = number(f$p.value),
      chisq = number(chisq$statistic), df = number(chisq$parameter[1]),
      p_chisq = number(chisq$p.value))
  }
}
many <- all_rows[all_rows$stratum != "s6", ]
add("many", many, "fail", names(designs_of(many)))
for (lonely in c("remove", "adjust", "average"))
  add("everyone", all_rows, lonely, c("stratified", "stratified_fpc"))
result <- do.call(rbind, rows)
result$survey <- as.character(packageVersion("survey"))
write.csv(result, file.path(here, "association_r.csv"), row.names = FALSE, quote = FALSE)
cat(nrow(result), "tests\n")
