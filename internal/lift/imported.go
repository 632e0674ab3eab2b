package lift

// Imported says that somebody has brought an athlete's history from a file, in the
// sets and reps before it in the log.
type Imported struct {
	Format    string `json:"format"` // of the file, such as strong
	Added     int    `json:"added"`
	Changed   int    `json:"changed"`
	TakenBack int    `json:"taken_back"`
}
