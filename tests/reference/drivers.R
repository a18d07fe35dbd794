# Prints drivers_r.csv (correlations of documented data, LMG and Johnson's relative weights of them)
# and power_r.csv (power.prop.test, power.t.test, two one-sided tests). From the repository root:
#     Rscript tests/reference/drivers.R
# LMG by going through all orders of the predictors, relative weights by Johnson's (2000) formulas
# with a singular value decomposition: neither the way the package does it. The LMG of `swiss` is
# also what relaimpo prints: .0571 .1712 .2601 .1056 .1128.

here <- "tests/reference"
number <- function(x) sprintf("%.17g", x)
sets <- list(swiss = swiss, attitude = attitude, longley_part = longley[c(7, 1, 2, 3, 4)],
             mtcars_part = mtcars[c("mpg", "wt", "hp", "qsec")], two = attitude[1:3])
orders <- function(v) if (length(v) < 2) list(v) else
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(o) c(v[i], o))))
lmg <- function(d) {
  p <- ncol(d) - 1; total <- numeric(p); all <- orders(seq_len(p)); known <- new.env()
  r2 <- function(s) {
    if (!length(s)) return(0)
    key <- paste(sort(s), collapse = " ")
    if (is.null(known[[key]])) known[[key]] <- summary(lm(d[[1]] ~ as.matrix(d[sort(s) + 1])))$r.squared
    known[[key]]
  }
  for (o in all) for (i in seq_along(o)) total[o[i]] <- total[o[i]] + r2(o[seq_len(i)]) - r2(o[seq_len(i - 1)])
  total / length(all)
}
johnson <- function(d) {
  x <- scale(as.matrix(d[-1])); y <- scale(d[[1]]); s <- svd(x)
  z <- s$u %*% t(s$v)
  slope <- solve(crossprod(z), crossprod(z, y)); back <- crossprod(z, x)
  as.vector(t(back)^2 %*% slope^2) / (nrow(d) - 1)^2
}
out <- list()
for (name in names(sets)) {
  d <- sets[[name]]; r <- cor(d); k <- ncol(d)
  out[[length(out) + 1]] <- data.frame(dataset = name, what = "correlation", row = rep(1:k, k),
                                       column = rep(1:k, each = k), value = number(as.vector(r)))
  out[[length(out) + 1]] <- data.frame(dataset = name, what = "lmg", row = 1:(k - 1), column = 0, value = number(lmg(d)))
  out[[length(out) + 1]] <- data.frame(dataset = name, what = "johnson", row = 1:(k - 1), column = 0,
                                       value = number(johnson(d)))
}
write.csv(do.call(rbind, out), file.path(here, "drivers_r.csv"), row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(test, n, value, sd, power, change, extra = NA, p1 = NA, p2 = NA)
  rows[[length(rows) + 1]] <<- data.frame(test, n, value, sd, power, change = number(change), extra, p1 = number(p1), p2 = number(p2))
for (n in c(30, 120, 900)) for (p in c(.1, .3, .55)) for (power in c(.8, .9))
  add("prop_rise", n, p, NA, power, power.prop.test(n = n, p1 = p, power = power, tol = 1e-12)$p2 - p)
for (n in c(3, 12, 40, 500)) for (power in c(.8, .9))
  add("t_change", n, 6, 1.9, power, power.t.test(n = n, sd = 1.9, power = power, tol = 1e-12)$delta)
for (p2 in c(.25, .2, .4)) add("prop_n", NA, .3, NA, .8, power.prop.test(p1 = .3, p2 = p2, power = .8)$n, extra = p2)
for (d in c(.2, .5, 3)) add("t_n", NA, 6, 1.9, .8, power.t.test(delta = d, sd = 1.9, power = .8, tol = 1e-12)$n, extra = d)
# Two one-sided tests of a difference `value`, standard error `sd`, df `n`, margin `extra`.
for (case in list(c(.3, .9, 40, 2), c(-1.1, .6, 12, 2), c(2.5, 1.5, 500, 2), c(-4, 1, 9, 3))) {
  d <- case[1]; se <- case[2]; df <- case[3]; m <- case[4]
  add("tost", df, d, se, NA, d - qt(.95, df) * se, m, pt((d + m) / se, df, lower.tail = FALSE),
      pt((d - m) / se, df))
}
write.csv(do.call(rbind, rows), file.path(here, "power_r.csv"), row.names = FALSE, quote = FALSE)
