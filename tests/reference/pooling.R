# Prints pooled rates and scores by sums over fine grids, without any of the shortcuts of
# culture_analytics/stats/pooling.py (base R only). From the repository root:
#     Rscript tests/reference/pooling.R
# Writes pooling_r.csv. Data: `baseball` (Efron and Morris 1975, table 1: hits of 18 players in
# their first 45 times at bat), `cbpp` (Lesnoff and others 2004: 15 herds, all periods together),
# `uneven` (made: 12 units of 11 to 400, among them none and few), `schools` (Rubin 1981: eight
# coaching effects), `dyestuff` (Davies 1949: six batches of five, means and their standard error
# from the variance within).

# Prior density of the standard deviation between units: tau (flat on the variance), and a mass on
# none at all, which has `alike` of the weight where k units of the average answers each differ by
# just as much as chance makes them (by quadrature).
alike <- 0.3
none <- function(variance) {
  k <- length(variance)
  rise <- function(t) exp(-(k - 1) / 2 * (log1p(t^2) + 1 / (1 + t^2) - 1)) * t
  alike / (1 - alike) * integrate(rise, 0, Inf, rel.tol = 1e-10)$value / mean(1 / variance)
}
out <- list()
add <- function(dataset, value, lower, upper, spread) {
  out[[length(out) + 1]] <<- data.frame(
    dataset, unit = seq_along(value), value, lower, upper, spread)
}

rates <- function(dataset, n, y, cells = 1500, centres = 111, spreads = 100, range = c(-0.3, 0.25)) {
  common <- sum(y) / sum(n)
  edges <- seq(0, 1, length.out = cells + 1)
  p <- (edges[-1] + edges[-(cells + 1)]) / 2
  like <- t(sapply(seq_along(n), function(i) {
    l <- dbinom(y[i], n[i], p, log = FALSE)
    l / max(l)
  }))
  scales <- list(
    identity, function(p) 2 * asin(sqrt(p)), function(p) log(p) - log1p(-p))
  slopes <- c(1, (common * (1 - common))^-0.5, (common * (1 - common))^-1)
  most <- sqrt(common * (1 - common))
  tau <- min(most, 0.45) * (seq_len(spreads) - 0.5) / spreads # above it nothing is likely here
  logs <- lapply(1:3, function(s) matrix(-Inf, centres, spreads))
  at <- list()
  distribution <- function(s, mu, tau) {
    e <- (scales[[s]](edges) - scales[[s]](common)) / slopes[s]
    m <- sapply(mu, function(mu) {
      up <- pnorm(e, mu, tau, lower.tail = FALSE)
      down <- pnorm(e, mu, tau)
      ifelse(e[-length(e)] > mu, -diff(up), diff(down))
    })
    sweep(m, 2, colSums(m), "/")
  }
  for (s in 1:3) {
    ends <- (scales[[s]](c(0, 1)) - scales[[s]](common)) / slopes[s]
    at[[s]] <- seq(max(ends[1], range[1]), min(ends[2], range[2]), length.out = centres)
    for (t in seq_len(spreads)) {
      logs[[s]][, t] <- colSums(log(like %*% distribution(s, at[[s]], tau[t]))) +
        log(tau[t]) + log(tau[2] - tau[1]) + log(at[[s]][2] - at[[s]][1])
    }
  }
  # No spread: every unit has the rate of one cell; flat on the scale of each shape in turn.
  wide <- rowSums(sapply(1:3, function(s) diff(pmax(pmin(
    (scales[[s]](edges) - scales[[s]](common)) / slopes[s], 1e6), -1e6))))
  same <- colSums(log(like)) + log(wide) + log(none(common * (1 - common) / n))
  best <- max(unlist(logs), same)
  same <- exp(same - best)
  weights <- lapply(logs, function(l) exp(l - best))
  total <- sum(unlist(weights)) + sum(same)
  left <- matrix(same, length(n), cells, byrow = TRUE)
  spread <- 0
  for (s in 1:3) {
    spread <- spread + sum(colSums(weights[[s]]) * tau) / total
    for (t in which(colSums(weights[[s]]) > 1e-9 * total)) {
      m <- distribution(s, at[[s]], tau[t])
      left <- left + like * (sweep(1 / (like %*% m), 2, weights[[s]][, t], "*") %*% t(m))
    }
  }
  left <- left / rowSums(left)
  quantile <- function(share) apply(left, 1, function(w) approx(c(0, cumsum(w)), edges, share, ties = "ordered")$y)
  add(dataset, as.vector(left %*% p), quantile(0.025), quantile(0.975), spread)
}

scores <- function(dataset, y, se, centres = 601, spreads = 600) {
  high <- 60 * max(sd(y), se) # the tail is long
  tau <- high * ((seq_len(spreads) - 0.5) / spreads)^2 # finer where it is small
  step <- 2 * high * (seq_len(spreads) - 0.5) / spreads^2
  mu <- seq(min(y) - 4 * max(se), max(y) + 4 * max(se), length.out = centres)
  log_w <- sapply(tau, function(t) {
    rowSums(sapply(seq_along(y), function(i) dnorm(y[i], mu, sqrt(se[i]^2 + t^2), log = TRUE)))
  }) + rep(log(tau) + log(step), each = centres)
  same <- rowSums(sapply(seq_along(y), function(i) dnorm(y[i], mu, se[i], log = TRUE))) + log(none(se^2))
  log_w <- cbind(same, log_w)
  tau <- c(0, tau)
  w <- exp(log_w - max(log_w))
  w <- w / sum(w)
  kept <- which(w > 1e-10)
  wk <- w[kept]
  m <- mu[(kept - 1) %% centres + 1]
  t <- tau[(kept - 1) %/% centres + 1]
  each <- lapply(seq_along(y), function(i) {
    k <- t^2 / (t^2 + se[i]^2)
    list(mean = k * y[i] + (1 - k) * m, sd = sqrt(k) * se[i])
  })
  quantile <- function(share) sapply(each, function(e)
    uniroot(function(x) sum(wk * pnorm(x, e$mean, e$sd)) - share, range(y) + c(-5, 5) * max(se),
            tol = 1e-9)$root)
  add(dataset, sapply(each, function(e) sum(wk * e$mean)), quantile(0.025), quantile(0.975),
      sum(wk * t))
}

rates("baseball", rep(45, 18), c(18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7))
herd <- aggregate(cbind(incidence, size) ~ herd, lme4::cbpp, sum)
rates("cbpp", herd$size, herd$incidence, range = c(-1.2, 0.3))
rates("uneven", c(11, 15, 20, 28, 40, 55, 80, 110, 150, 220, 300, 400),
      c(0, 3, 1, 0, 4, 11, 3, 2, 20, 15, 24, 61), range = c(-1.2, 0.3))
scores("schools", c(28, 8, -3, 7, -1, 1, 18, 12), c(15, 10, 16, 11, 9, 11, 10, 18))
dye <- lme4::Dyestuff
within <- mean(tapply(dye$Yield, dye$Batch, var))
scores("dyestuff", as.vector(tapply(dye$Yield, dye$Batch, mean)), rep(sqrt(within / 5), 6))
x <- sqrt(45) * asin(2 * c(18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7) / 45 - 1)
scores("baseball_angles", x, rep(1, 18))

result <- do.call(rbind, out)
for (column in c("value", "lower", "upper", "spread")) result[[column]] <- sprintf("%.9g", result[[column]])
result$r <- paste(R.version$major, R.version$minor, sep = ".")
write.csv(result, "tests/reference/pooling_r.csv", row.names = FALSE, quote = FALSE)
cat(nrow(result), "units\n")
