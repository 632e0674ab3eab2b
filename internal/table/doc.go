// Package table writes rows as CSV or Parquet, for those who go on in R, Python or a
// spreadsheet. Rows are written as they come: of CSV a few kilobytes are held, of
// Parquet one row group, which is at most 65 536 rows.
//
// What is absent is an empty cell or a null, never 0. Numbers are in the unit that the
// column's name ends in. Times are in UTC with microseconds.
//
// A table is not for concurrent use.
package table
