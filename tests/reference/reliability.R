# Prints what psych says about scales made here: reliability_data.csv (answers' points) and
# reliability_r.csv (alpha, omega, item-rest correlations, limits). From the repository root:
#     Rscript tests/reference/reliability.R
# `good` has one factor; `mixed` two; `uneven` items of very different spread and one turned round;
# `gaps` is `good` with a tenth of the answers missing. SYNTHETIC.

suppressPackageStartupMessages(library(psych))
here <- "tests/reference"
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(20241107)
number <- function(x) sprintf("%.17g", x)
five <- function(z) 2.5 * (findInterval(z, c(-1.3, -0.5, 0.3, 1.2)))
make <- function(n, loadings, second = 0 * loadings) {
  f <- rnorm(n); g <- rnorm(n)
  sapply(seq_along(loadings), function(i) five(loadings[i] * f + second[i] * g +
    rnorm(n, 0, sqrt(1 - loadings[i]^2 - second[i]^2))))
}
sets <- list(
  good = make(300, c(.8, .7, .75, .6, .65, .5)),
  mixed = make(250, c(.7, .7, .6, .3, .2, .3, .1), c(0, 0, .1, .6, .7, .6, .5)),
  uneven = {
    x <- make(200, c(.8, .7, .6, -.5, .6))
    x[, 2] <- 10 * (x[, 2] >= 7.5); x[, 3] <- 10 * (x[, 3] > 0); x
  })
sets$gaps <- sets$good
sets$gaps[matrix(runif(length(sets$gaps)) < .1, nrow(sets$gaps))] <- NA

data <- do.call(rbind, lapply(names(sets), function(name) data.frame(
  dataset = name, respondent = rep(seq_len(nrow(sets[[name]])), ncol(sets[[name]])),
  item = rep(seq_len(ncol(sets[[name]])), each = nrow(sets[[name]])), points = as.vector(sets[[name]]))))
write.csv(data, file.path(here, "reliability_data.csv"), row.names = FALSE, quote = FALSE, na = "")

out <- list()
add <- function(dataset, missing, what, item, value) {
  out[[length(out) + 1]] <<- data.frame(dataset, missing, what, item, value = number(value))
}
for (name in names(sets)) for (use in c("complete", "pairwise")) {
  x <- sets[[name]]; k <- ncol(x)
  cx <- cov(x, use = paste0(use, ifelse(use == "pairwise", ".complete.obs", ".obs")))
  n <- sum(complete.cases(x))
  a <- suppressWarnings(suppressMessages(psych::alpha(cx, n.obs = n, warnings = FALSE)))
  add(name, use, "alpha", 0, a$total$raw_alpha)
  add(name, use, "standardised_alpha", 0, a$total$std.alpha)
  add(name, use, "alpha_without", seq_len(k), a$alpha.drop$raw_alpha)
  # psych::alpha of a matrix gives r.drop of the covariances standardised; from answers, of the points.
  if (use == "complete") {
    whole <- x[complete.cases(x), ]
    b <- suppressWarnings(psych::alpha(as.data.frame(whole), warnings = FALSE))
    stopifnot(abs(b$total$raw_alpha - a$total$raw_alpha) < 1e-12)
    add(name, use, "item_rest", seq_len(k), b$item.stats$r.drop)
    limits <- alpha.ci(a$total$raw_alpha, n.obs = n, n.var = k)
    add(name, use, "lower", 0, limits$lower.ci)
    add(name, use, "upper", 0, limits$upper.ci)
  }
  r <- cov2cor(cx)
  o <- suppressWarnings(suppressMessages(omega(r, nfactors = 1, plot = FALSE, flip = FALSE, n.obs = n)))
  add(name, use, "standardised_omega", 0, o$omega.tot)
  u <- fa(r, nfactors = 1, fm = "minres", n.obs = n)$uniquenesses
  add(name, use, "omega", 0, 1 - sum(u * diag(cx)) / sum(cx))
}
result <- do.call(rbind, out)
result$psych <- as.character(packageVersion("psych"))
write.csv(result, file.path(here, "reliability_r.csv"), row.names = FALSE, quote = FALSE)
cat(nrow(result), "figures\n")
