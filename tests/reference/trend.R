# Prints what R says about trends, two-sample tests and adjusted p-values: trend.csv, a number a row.
# From the repository root:
#     Rscript tests/reference/trend.R

shown <- list()
say <- function(case, name, x)
  shown[[length(shown) + 1]] <<- data.frame(case = case, name = name, place = seq_along(x),
                                            value = sprintf("%.17g", x))

# Linear trend in proportions ---------------------------------------------------------------
yes <- list(rise = c(410, 433, 478, 502), flat = c(80, 83, 79), few = c(2, 0, 5, 4, 9),
            gap = c(1210, 1190, 1105, 1000))
all <- list(rise = c(1020, 1043, 1098, 1111), flat = c(200, 205, 198), few = c(30, 25, 41, 38, 44),
            gap = c(2900, 2888, 2710, 2507))
year <- list(rise = 2021:2024, flat = 2022:2024, few = 2021:2025, gap = c(2018, 2019, 2021, 2024))
for (case in names(yes)) {
  say(paste0("trend_", case), "yes", yes[[case]])
  say(paste0("trend_", case), "base", all[[case]])
  say(paste0("trend_", case), "year", year[[case]])
  say(paste0("trend_", case), "p", prop.trend.test(yes[[case]], all[[case]], year[[case]])$p.value)
  freq <- yes[[case]] / all[[case]]
  say(paste0("trend_", case), "slope", coef(lm(freq ~ year[[case]], weights = all[[case]]))[2])
}

# Linear trend of scores: the residual scale is 1 --------------------------------------------
mean <- c(6.81, 6.84, 6.97, 6.93); se <- c(0.031, 0.028, 0.035, 0.029); at <- 2021:2024
line <- summary(lm(mean ~ at, weights = 1 / se^2))
say("score", "mean", mean); say("score", "se", se); say("score", "year", at)
say("score", "slope", line$coefficients[2, 1])
say("score", "slope_se", line$coefficients[2, 2] / line$sigma)

# Two samples ------------------------------------------------------------------------------
test <- suppressWarnings(prop.test(c(433, 390), c(1043, 1012), correct = FALSE))
say("proportions", "yes", c(433, 390)); say("proportions", "base", c(1043, 1012))
say("proportions", "p", test$p.value)
first <- c(7.5, 2.5, 10, 5, 5, 7.5, 0, 10, 2.5, 7.5, 5)
second <- c(5, 5, 2.5, 7.5, 0, 0, 5, 2.5, 10, 2.5, 5, 7.5, 2.5)
say("scores", "later", first); say("scores", "earlier", second)
welch <- t.test(first, second); pooled <- t.test(first, second, var.equal = TRUE)
say("scores", "welch_p", welch$p.value); say("scores", "welch_df", welch$parameter)
say("scores", "welch_limits", welch$conf.int)
say("scores", "pooled_p", pooled$p.value); say("scores", "pooled_limits", pooled$conf.int)

# Adjusted p-values: ties, 1 and a missing one ------------------------------------------------
p <- c(0.0004, 0.03, 0.03, NA, 0.011, 0.2, 0.049, 0.75, 1, 0.0021)
say("adjust", "p", p); say("adjust", "holm", p.adjust(p, "holm")); say("adjust", "bh", p.adjust(p, "BH"))

found <- do.call(rbind, shown)
found$r <- paste(R.version$major, R.version$minor, sep = ".")
write.csv(found, "tests/reference/trend.csv", row.names = FALSE, quote = FALSE)
