# Prints what R's survey package says about design_data.csv: survey_r.csv (estimates) and
# survey_r_differences.csv (differences between two domains). From the repository root:
#     Rscript tests/reference/make_reference.R
# survey_r.csv, one row: outcome in one domain of one design, at one level. Empty = R gives no such number.
#   logit_*   svyciprop(method = "logit"): fits a model, right to about 1e-8
#   xlogit_*  svyciprop(method = "xlogit"): the same limits in closed form (delta method)
#   beta_*    svyciprop(method = "beta")
#   t_*       confint(svymean, df = degf)

suppressPackageStartupMessages(library(survey))
options(survey.adjust.domain.lonely = FALSE)  # R's default, said aloud

here <- "tests/reference"
everyone <- read.csv(file.path(here, "design_data.csv"), na.strings = "")
many <- everyone[everyone$stratum != "s6", ]                 # no stratum with one respondent
tenfold <- do.call(rbind, lapply(0:9, function(copy) transform(
  many, population = population * 10, y01 = (copy == 0) * rare,
  score = 10 - 0.5 * (copy == 0) * rare)))
tenfold_yes <- transform(tenfold, y01 = 1L - y01, score = 10 - score)

designs_of <- function(data) list(
  unweighted              = svydesign(~1, weights = ~rep(1, nrow(data)), data = data),
  weighted                = svydesign(~1, weights = ~weight, data = data),
  stratified              = svydesign(~1, strata = ~stratum, weights = ~weight, data = data),
  stratified_fpc          = svydesign(~1, strata = ~stratum, weights = ~weight, fpc = ~population,
                                      data = data),
  stratified_unweighted   = svydesign(~1, strata = ~stratum, weights = ~rep(1, nrow(data)),
                                      data = data))

domains_of <- function(data) {
  domain <- function(group, group2) list(group = group, group2 = group2, rows =
    (group == "" | data$group == group) & (group2 == "" | data$group2 == group2))
  table <- expand.grid(group = c("", sort(unique(data$group))), group2 = c("", "x", "y", "z"),
                       stringsAsFactors = FALSE)
  Map(domain, table$group, table$group2)
}

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "")
quietly <- function(limits) suppressWarnings(tryCatch(as.numeric(limits), error = function(e) c(NA, NA)))
limits_by <- function(method, formula, design, level)
  quietly(attr(svyciprop(formula, design, method = method, level = level), "ci"))

one_row <- function(dataset, design_name, lonely, design, domain, outcome, level) {
  formula <- as.formula(paste0("~", outcome))
  answered <- domain$rows & !is.na(design$variables[[outcome]])
  if (!any(answered)) return(NULL)
  part <- design[answered, ]
  df <- degf(part)
  mean <- svymean(formula, part)
  estimate <- as.numeric(coef(mean))
  se <- as.numeric(SE(mean))
  none <- c(NA_real_, NA_real_)
  logit <- xlogit <- beta <- t <- none
  if (df > 0 && !is.na(se) && se > 1e-12) {  # less is the rounding of 0
    t <- quietly(confint(mean, level = level, df = df))
    if (outcome == "y01") {
      logit <- limits_by("logit", formula, part, level)
      xlogit <- limits_by("xlogit", formula, part, level)
      beta <- limits_by("beta", formula, part, level)
    }
  }
  numbers <- c(estimate, se, df, logit, xlogit, beta, t)
  names(numbers) <- c("estimate", "se", "df", "logit_lower", "logit_upper", "xlogit_lower",
                      "xlogit_upper", "beta_lower", "beta_upper", "t_lower", "t_upper")
  data.frame(dataset, design = design_name, lonely, group = domain$group, group2 = domain$group2,
             outcome, level, n = sum(answered), as.list(number(numbers)))
}

rows <- list()
add <- function(dataset, data, lonely, designs, level = 0.95) {
  options(survey.lonely.psu = lonely)
  for (name in designs) {
    design <- designs_of(data)[[name]]
    for (domain in domains_of(data)) for (outcome in c("y01", "score"))
      rows[[length(rows) + 1]] <<- one_row(dataset, name, lonely, design, domain, outcome, level)
  }
}

all_designs <- names(designs_of(many))
stratified <- grep("^stratified", all_designs, value = TRUE)
add("many", many, "fail", all_designs)
add("many", many, "fail", "stratified", level = 0.998)
for (lonely in c("remove", "adjust", "average")) add("everyone", everyone, lonely, stratified)
add("tenfold", tenfold, "fail", all_designs)
add("tenfold_yes", tenfold_yes, "fail", all_designs)

result <- do.call(rbind, rows)
result$r <- paste0(R.version$major, ".", R.version$minor)
result$survey <- as.character(packageVersion("survey"))
write.csv(result, file.path(here, "survey_r.csv"), row.names = FALSE, quote = FALSE, na = "")
cat(nrow(result), "rows\n")

# survey_r_differences.csv, one row: mean of the first domain less mean of the second, in one design.
# A domain is "" (everyone) or group=..., group2=..., both with "&", "!" before it for the rest.
#   se         svycontrast on svyratio(covmat = TRUE) of the two domains' indicators
#   se_svyby   svycontrast on svyby(covmat = TRUE), where the domains are two groups of one column

in_domain <- function(data, name) {
  if (name == "") return(rep(TRUE, nrow(data)))
  if (startsWith(name, "!")) return(!in_domain(data, substring(name, 2)))
  terms <- strsplit(strsplit(name, "&", fixed = TRUE)[[1]], "=", fixed = TRUE)
  Reduce(`&`, lapply(terms, function(term) data[[term[1]]] == term[2]))
}

contrasts_of <- function(data) {
  groups <- sort(unique(data$group))
  one <- paste0("group=", groups)
  two <- paste0("group2=", c("x", "y", "z"))
  pairs <- function(names) t(combn(names, 2))
  out <- rbind(
    pairs(one), pairs(two),                                          # disjoint
    cbind(c(one, two), ""),                                          # nested: everyone
    cbind(c(one, two), paste0("!", c(one, two))),                    # the rest
    cbind("group=large", two), cbind("group2=y", one),               # overlapping
    cbind(c("group=large&group2=x", "group=medium&group2=y"),        # nested: a group's part
          c("group=large", "group2=y")),
    cbind("group=large&group2=x", c("group=large&group2=y", "group=medium&group2=x")))
  kind <- c(rep("disjoint", nrow(pairs(one)) + nrow(pairs(two))), rep("everyone", 7), rep("rest", 7),
            rep("overlap", 3 + length(groups)), rep("part", 2), rep("disjoint", 2))
  data.frame(kind, first = out[, 1], second = out[, 2])
}

by_group <- function(formula, part, column, first, second) {
  by <- svyby(formula, as.formula(paste0("~", column)), part, svymean, covmat = TRUE)
  weights <- setNames(c(1, -1), sub(".*=", "", c(first, second)))
  as.numeric(SE(svycontrast(by, weights)))
}

one_difference <- function(dataset, design_name, lonely, design, contrast, outcome) {
  data <- design$variables
  y <- data[[outcome]]
  a <- in_domain(data, contrast$first) & !is.na(y)
  b <- in_domain(data, contrast$second) & !is.na(y)
  if (!any(a) || !any(b)) return(NULL)
  design <- update(design, ya = ifelse(a, y, 0), yb = ifelse(b, y, 0),
                   ia = as.numeric(a), ib = as.numeric(b))
  part <- design[a | b, ]
  ratios <- svyratio(~ya + yb, ~ia + ib, part, covmat = TRUE)
  # The four ratios stand in the order ya/ia, yb/ia, ya/ib, yb/ib.
  difference <- ratios$ratio[1, 1] - ratios$ratio[2, 2]
  weights <- c(1, 0, 0, -1)
  se <- sqrt(as.numeric(t(weights) %*% ratios$vcov %*% weights))
  simple <- contrast$kind == "disjoint" && !grepl("&", contrast$first, fixed = TRUE)
  column <- sub("=.*", "", contrast$first)
  se_svyby <- if (simple) by_group(as.formula(paste0("~", outcome)), part, column,
                                   contrast$first, contrast$second) else NA_real_
  data.frame(dataset, design = design_name, lonely, kind = contrast$kind, first = contrast$first,
             second = contrast$second, outcome, difference = number(difference), se = number(se),
             se_svyby = number(se_svyby), df = degf(part))
}

rows <- list()
add_differences <- function(dataset, data, lonely, designs) {
  options(survey.lonely.psu = lonely)
  contrasts <- contrasts_of(data)
  for (name in designs) {
    design <- designs_of(data)[[name]]
    for (i in seq_len(nrow(contrasts))) for (outcome in c("y01", "score"))
      rows[[length(rows) + 1]] <<-
        one_difference(dataset, name, lonely, design, contrasts[i, ], outcome)
  }
}

add_differences("many", many, "fail", all_designs)
for (lonely in c("remove", "adjust", "average"))
  add_differences("everyone", everyone, lonely, stratified)

result <- do.call(rbind, rows)
result$r <- paste0(R.version$major, ".", R.version$minor)
result$survey <- as.character(packageVersion("survey"))
write.csv(result, file.path(here, "survey_r_differences.csv"), row.names = FALSE, quote = FALSE,
          na = "")
cat(nrow(result), "differences\n")
