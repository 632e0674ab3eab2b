package files

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkHundredThousandRows reads a hundred thousand sets or reps of each kind of
// file that it costs differently to read.
func BenchmarkHundredThousandRows(b *testing.B) {
	const rows = 100_000
	start := time.Date(2020, 1, 1, 18, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, header string
		row          func(i int) string
	}{
		{"strong", "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE\n", func(i int) string {
			return fmt.Sprintf("%s,\"Push\",1h 2m,\"Bench Press (Barbell) %d\",%d,%d.5,5,0,0,,,\n",
				start.AddDate(0, 0, i/20).Format(time.DateTime), i%20/5, i%5+1, 40+i%60)
		}},
		{"vitruve", vitruveHeader, func(i int) string {
			return vitruveRow("a@example.org", "Deadlift", start.AddDate(0, 0, i/60%3000).Format("02/01/2006"), start.Add(time.Duration(i/6)*3*time.Minute).Format(time.TimeOnly),
				i/6+1-i/60*10, i%6+1, "concentric", "0.62", fmt.Sprintf("0.%d5", 3+i%4), "1.01", "", "0.6", "80.5")
		}},
		{"openbarbell", openBarbellHeader, func(i int) string {
			return fmt.Sprintf("\"squat\",%d,%d,\"100\",\"kgs\",\"8\",\"\",\"%s\",\"00:0%d:00\",0.5,600,0.9,54,1.2\n",
				i%60/6+1, i%6+1, start.AddDate(0, 0, i/60).Format("2/1/2006, 15:04:05"), min(3, i%60/6))
		}},
		{"gymaware", "", func(i int) string {
			if i%5 > 0 {
				return ""
			}
			return fmt.Sprintf(`{"reference":%d,"recorded":%d,"modified":1,"athleteReference":17,"athleteName":"Lift, Ada","exerciseName":"Back Squat","deleted":false,"barWeight":100,"reps":[`, i, start.Unix()+int64(i)*60) +
				strings.TrimSuffix(strings.Repeat(`{"REPNUM":1,"Conc Mean Velocity":0.55,"Conc Peak Velocity":0.9,"Conc Mean Power":500.5,"Height":0.6},`, 1)+
					`{"REPNUM":2,"Conc Mean Velocity":0.55},{"REPNUM":3,"Conc Mean Velocity":0.55},{"REPNUM":4,"Conc Mean Velocity":0.55},{"REPNUM":5,"Conc Mean Velocity":0.55},`, ",") + "]}\n"
		}},
	} {
		var text strings.Builder
		text.WriteString(c.header)
		for i := range rows {
			text.WriteString(c.row(i))
		}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				f, err := Open(strings.NewReader(text.String()), Options{Unit: Kilograms, Zone: time.UTC, Dates: DayFirst})
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for _, err := range f.Rows() {
					if err != nil {
						row, _ := errors.AsType[*RowError](err)
						b.Fatal(n, err, row)
					}
					n++
				}
				if n != rows {
					b.Fatal(n)
				}
			}
		})
	}
}
