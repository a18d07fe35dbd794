# Prints weighted_r.csv: scales and what goes with an outcome where respondents have weights. From the
# repository root:
#     Rscript tests/reference/weighted.R
# Scales: reliability_data.csv; respondent i weighs 1 + (7 i mod 11) / 3. Covariances from `cov.wt`
# (pairwise: of each pair's respondents) and, of complete ones, from survey::svyvar, whose divisor
# differs; alpha from psych::alpha of that matrix; omega from psych::fa; item-rest correlations from
# `cov.wt` of the item and the sum of the others. Outcomes: LMG of documented data by weighted least
# squares in all orders, row i weighing the same; correlations from `cov.wt` and from svyvar.

suppressPackageStartupMessages({library(psych); library(survey)})
here <- "tests/reference"
number <- function(x) sprintf("%.17g", x)
weight <- function(i) 1 + (7 * i) %% 11 / 3
quiet <- function(x) suppressWarnings(suppressMessages(x))
out <- list()
add <- function(dataset, missing, what, row, column, value)
  out[[length(out) + 1]] <<- data.frame(dataset, missing, what, row, column, value = number(value))
whole <- function(dataset, missing, what, m)
  add(dataset, missing, what, rep(seq_len(nrow(m)), ncol(m)), rep(seq_len(ncol(m)), each = nrow(m)), as.vector(m))
svy <- function(x, w) {
  d <- as.data.frame(x); names(d) <- paste0("v", seq_len(ncol(d)))
  v <- svyvar(as.formula(paste("~", paste(names(d), collapse = "+"))), svydesign(~1, weights = w, data = d))
  matrix(as.matrix(v), ncol(d))
}

data <- read.csv(file.path(here, "reliability_data.csv"))
for (name in unique(data$dataset)) {
  d <- data[data$dataset == name, ]
  x <- matrix(d$points[order(d$item, d$respondent)], ncol = max(d$item))
  w <- weight(seq_len(nrow(x))); k <- ncol(x)
  for (use in c("complete", "pairwise")) {
    full <- complete.cases(x)
    cx <- if (use == "complete") cov.wt(x[full, ], w[full])$cov else
      sapply(seq_len(k), function(j) sapply(seq_len(k), function(i) {
        there <- !is.na(x[, i]) & !is.na(x[, j])
        cov.wt(cbind(x[there, i], x[there, j]), w[there])$cov[1, 2]
      }))
    whole(name, use, "covariance", cx)
    a <- quiet(psych::alpha(cx, n.obs = sum(full), warnings = FALSE))
    add(name, use, "alpha", 0, 0, a$total$raw_alpha)
    add(name, use, "standardised_alpha", 0, 0, a$total$std.alpha)
    add(name, use, "alpha_without", seq_len(k), 0, a$alpha.drop$raw_alpha)
    u <- quiet(fa(cov2cor(cx), nfactors = 1, fm = "minres"))$uniquenesses
    add(name, use, "omega", 0, 0, 1 - sum(u * diag(cx)) / sum(cx))
    if (use == "complete") {
      y <- x[full, ]; v <- w[full]
      s <- svy(y, v)
      a2 <- quiet(psych::alpha(s, n.obs = sum(full), warnings = FALSE))
      stopifnot(max(abs(cov2cor(s) - cov2cor(cx))) < 1e-10, abs(a2$total$raw_alpha - a$total$raw_alpha) < 1e-10)
      whole(name, use, "svyvar", s)
      add(name, use, "item_rest", seq_len(k), 0, sapply(seq_len(k), function(i)
        cov.wt(cbind(y[, i], rowSums(y[, -i])), v, cor = TRUE)$cor[1, 2]))
    }
  }
}

sets <- list(swiss = swiss, attitude = attitude, mtcars_part = mtcars[c("mpg", "wt", "hp", "qsec")])
orders <- function(v) if (length(v) < 2) list(v) else
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(o) c(v[i], o))))
for (name in names(sets)) {
  d <- sets[[name]]; w <- weight(seq_len(nrow(d))); p <- ncol(d) - 1
  r <- cov.wt(as.matrix(d), w, cor = TRUE)$cor
  stopifnot(max(abs(cov2cor(svy(d, w)) - r)) < 1e-10)
  whole(name, "complete", "correlation", r)
  r2 <- function(s) if (!length(s)) 0 else summary(lm(d[[1]] ~ as.matrix(d[s + 1]), weights = w))$r.squared
  total <- numeric(p); all <- orders(seq_len(p))
  known <- new.env()
  of <- function(s) {
    key <- paste(c("k", sort(s)), collapse = " ")
    if (is.null(known[[key]])) known[[key]] <- r2(sort(s))
    known[[key]]
  }
  for (o in all) for (i in seq_along(o)) total[o[i]] <- total[o[i]] + of(o[seq_len(i)]) - of(o[seq_len(i - 1)])
  add(name, "complete", "lmg", seq_len(p), 0, total / length(all))
  add(name, "complete", "r_squared", 0, 0, r2(seq_len(p)))
  # Johnson (2000) on the rows scaled by the root of their weight.
  z <- scale(as.matrix(d), center = cov.wt(as.matrix(d), w)$center, scale = FALSE) * sqrt(w)
  z <- sweep(z, 2, sqrt(colSums(z^2)), "/")
  s <- svd(z[, -1]); stand <- s$u %*% t(s$v)
  add(name, "complete", "johnson", seq_len(p), 0, as.vector(t(crossprod(stand, z[, -1]))^2 %*% crossprod(stand, z[, 1])^2))
}
result <- do.call(rbind, out)
result$packages <- paste0("psych ", packageVersion("psych"), " survey ", packageVersion("survey"))
write.csv(result, file.path(here, "weighted_r.csv"), row.names = FALSE, quote = FALSE)
cat(nrow(result), "figures\n")
