# Change of a percentage and of a score between two years, read against a margin.
# Wilson limits of each year from prop.test without correction; Newcombe's limits of the difference
# (method 10) from them, at 95 % and, for two one-sided tests, at 90 %. Scores: Welch's t.
# Rscript tests/reference/before_after.R

wilson <- function(x, n, level) prop.test(x, n, conf.level = level, correct = FALSE)$conf.int
newcombe <- function(x, n, x0, n0, level) {
  a <- wilson(x, n, level); b <- wilson(x0, n0, level)
  p <- x / n; p0 <- x0 / n0; d <- p - p0
  100 * c(d - sqrt((p - a[1])^2 + (b[2] - p0)^2), d + sqrt((a[2] - p)^2 + (p0 - b[1])^2))
}
cases <- rbind(c(50, 120, 40, 118), c(0, 15, 0, 18), c(700, 2000, 640, 2100), c(3, 40, 12, 44))
for (i in seq_len(nrow(cases))) {
  k <- cases[i, ]
  p <- suppressWarnings(prop.test(k[c(1, 3)], k[c(2, 4)], correct = FALSE))$p.value
  cat(sprintf("%d: %.10f %.10f %.10f %.10f %.10f\n", i,
    newcombe(k[1], k[2], k[3], k[4], .95)[1], newcombe(k[1], k[2], k[3], k[4], .95)[2],
    newcombe(k[1], k[2], k[3], k[4], .90)[1], newcombe(k[1], k[2], k[3], k[4], .90)[2], p))
}
later <- c(6.1, 5.2, 7.3, 6.6, 4.9, 8.0, 6.7, 5.5, 7.1, 6.0, 6.4, 5.8)
earlier <- c(5.0, 4.1, 6.6, 5.9, 5.2, 6.1, 4.8, 5.7, 6.3, 5.5, 4.4)
for (level in c(.95, .90)) {
  t <- t.test(later, earlier, conf.level = level)
  cat(sprintf("%.10f %.10f %.10f\n", t$conf.int[1], t$conf.int[2], t$p.value))
}
# Answers that a change of 30 % to 40 % needs, and of a score of 6 to 6.5 with SD 2, power 0.8.
cat(sprintf("%.6f\n", power.prop.test(p1 = .30, p2 = .40, power = .8)$n))
cat(sprintf("%.6f\n", power.t.test(delta = .5, sd = 2, power = .8)$n))
# Change that 60 answers of 100 staff would show from 30 %.
f <- function(q) power.prop.test(n = 60, p1 = .30, p2 = q)$power - .8
cat(sprintf("%.8f\n", 100 * (uniroot(f, c(.31, .9), tol = 1e-12)$root - .30)))
