#!/usr/bin/env Rscript
# Weekly volume and load-velocity lines of a table of sets.
#
#   spotter export sets --out sets.csv --server https://spotter.example.org --token-file token
#   Rscript training.R sets.csv Europe/Berlin
#
# R and nothing else is needed for CSV, the package arrow for Parquet.

given <- commandArgs(trailingOnly = TRUE)
path <- given[1]
zone <- if (length(given) > 1) given[2] else "UTC"

if (grepl("\\.parquet$", path)) {
  sets <- as.data.frame(arrow::read_parquet(path))
} else {
  sets <- read.csv(path, na.strings = "", check.names = FALSE, colClasses = c(
    athlete = "character", site = "character", exercise = "character", group = "character"))
  sets$from <- as.POSIXct(sets$from, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
  sets$warmup <- sets$warmup == "true" | sets$warmup == "TRUE"
}

# Work sets of each athlete, ISO week and group. A set without a load has no volume.
work <- sets[!sets$warmup & !is.na(sets$group), ]
work$week <- format(work$from, "%G-W%V", tz = zone)
work$volume_kg[is.na(work$volume_kg)] <- 0
work$sets <- rep(1, nrow(work))
weeks <- aggregate(cbind(volume_kg, sets, reps) ~ athlete + week + group, data = work, FUN = sum)
weeks <- weeks[order(weeks$athlete, weeks$week, weeks$group, method = "radix"), ]
weeks$volume_kg <- sprintf("%.12g", weeks$volume_kg)
write.csv(weeks, row.names = FALSE, quote = FALSE)

# The straight line through load and fastest rep of each athlete and exercise, where
# there are three different loads at least 15 % apart. Sets of a training log have no
# velocity.
measured <- sets[!is.na(sets$load_kg) & sets$load_kg > 0 & !is.na(sets$best_mps), ]
cat("\nathlete,exercise,sets,slope_mps_per_kg,velocity_without_load_mps,r2\n")
for (one in split(measured, list(measured$athlete, measured$exercise), drop = TRUE, lex.order = TRUE)) {
  if (length(unique(one$load_kg)) < 3 || max(one$load_kg) < 1.15 * min(one$load_kg)) next
  line <- lm(best_mps ~ load_kg, data = one)
  cat(sprintf("%s,%s,%d,%.5f,%.3f,%.3f\n", one$athlete[1], one$exercise[1], nrow(one),
    coef(line)[2], coef(line)[1], summary(line)$r.squared))
}
