package api

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

var (
	//go:embed checkin.html
	checkInHTML string
	//go:embed checkin.css
	checkInStyle []byte
	//go:embed checkin.webmanifest
	checkInManifest []byte
	//go:embed checkin-worker.js
	checkInWorker []byte

	checkInPage = template.Must(template.New("checkin").Parse(checkInHTML))
)

// checkInPolicy lets the page load its style, and send its form, here only.
const checkInPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type choice struct {
	Value, Text string
	Flag        bool // it wants a doctor at once
}

// form is what the check-in page shows. It needs no script, but for Own: an athlete's
// own page, without a link.
type form struct {
	Gone, Done, Urgent, Own  bool
	Error, Time, Phase       string
	Phases, Symptoms, Scales []choice
	Scores, Fives            []int
}

var (
	phaseChoices = []choice{
		{Value: "before", Text: "Before training"}, {Value: "during", Text: "During training"}, {Value: "after", Text: "After training"},
		{Value: "next_morning", Text: "The morning after"}, {Value: "daily", Text: "Any other day"},
	}
	symptomChoices = []choice{
		{Value: "radiating", Text: "Pain runs down a leg"}, {Value: "numbness", Text: "A numb spot"}, {Value: "tingling", Text: "Pins and needles"},
		{Value: "saddle_numbness", Text: "Numb between the legs, where a saddle would be"}, {Value: "bladder_bowel", Text: "Trouble holding or passing water or stool"},
		{Value: "progressive_weakness", Text: "A leg or foot gets weaker"}, {Value: "bilateral_leg", Text: "Signs in both legs"},
		{Value: "trauma", Text: "After a fall or blow"}, {Value: "fever", Text: "Fever"}, {Value: "weight_loss", Text: "Weight lost without trying"},
		{Value: "night_pain", Text: "Pain at night that no position eases"}, {Value: "sudden_severe", Text: "Sudden and very strong pain"},
		{Value: "eases_with_movement", Text: "It eases when I move"}, {Value: "eases_with_rest", Text: "It eases when I rest"},
	}
	scaleChoices = []choice{
		{Value: "nutrition", Text: "Food yesterday, from 1 (far too little) to 5 (very good)"},
		{Value: "soreness", Text: "Sore muscles, from 1 (none) to 5 (very)"}, {Value: "stress", Text: "Stress, from 1 (none) to 5 (very much)"},
	}
)

func (s *Server) addCheckInPage() {
	file := func(path, kind string, data []byte) {
		s.echo.GET(path, func(c echo.Context) error {
			c.Response().Header().Set("Content-Security-Policy", checkInPolicy)
			c.Response().Header().Set("Cache-Control", "no-cache")
			if path == "/checkin/worker.js" {
				c.Response().Header().Set("Service-Worker-Allowed", "/checkin") // the page without a link too
			}
			return c.Blob(http.StatusOK, kind, data)
		})
	}
	file("/checkin.css", "text/css; charset=utf-8", checkInStyle)
	file("/checkin.webmanifest", "application/manifest+json", checkInManifest)
	file("/checkin/worker.js", "text/javascript; charset=utf-8", checkInWorker)
	s.echo.GET("/checkin", func(c echo.Context) error { return s.page(c, http.StatusOK, form{Own: true}) })
	s.echo.GET("/checkin/:token", s.showForm)
	s.echo.POST("/checkin/:token", s.takeForm)
}

func (s *Server) showForm(c echo.Context) error {
	token := c.Param("token")
	if _, err := s.linked(c.Request().Context(), token); err != nil {
		return s.page(c, http.StatusNotFound, form{Gone: true})
	}
	return s.page(c, http.StatusOK, form{})
}

func (s *Server) page(c echo.Context, status int, f form) error {
	if f.Time == "" {
		f.Time = s.now().UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	f.Phases, f.Symptoms, f.Scales = phaseChoices, slices.Clone(symptomChoices), scaleChoices
	for i := range f.Symptoms {
		f.Symptoms[i].Flag = analysis.IsRedFlag(lift.Symptom(f.Symptoms[i].Value))
	}
	f.Scores, f.Fives = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{1, 2, 3, 4, 5}
	var text bytes.Buffer
	if err := checkInPage.Execute(&text, &f); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Security-Policy", checkInPolicy)
	return c.HTMLBlob(status, text.Bytes())
}

// takeForm reads the page's form as the message that a device would send.
func (s *Server) takeForm(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return s.page(c, http.StatusBadRequest, form{Error: "The form did not arrive whole. Try again."})
	}
	body, err := json.Marshal(formCheckIn(r.PostForm))
	if err != nil {
		return err
	}
	answer, err := s.useLink(r.Context(), &linkedCheckIn{TokenPath{c.Param("token")}, body})
	if err == nil {
		flagged := slices.ContainsFunc(answer.Body.Symptoms, analysis.IsRedFlag)
		return s.page(c, http.StatusOK, form{Done: true, Urgent: flagged})
	}
	again := form{Time: r.PostForm.Get("time"), Phase: r.PostForm.Get("phase")}
	if field, ok := errors.AsType[*lift.FieldError](err); ok {
		again.Error = field.Error()
		return s.page(c, http.StatusUnprocessableEntity, again)
	}
	if said, ok := errors.AsType[huma.StatusError](err); ok {
		again.Gone = said.GetStatus() == http.StatusNotFound
		again.Error = said.Error()
		return s.page(c, said.GetStatus(), again)
	}
	s.log.Error("take check-in form", "error", err)
	again.Error = "Your report could not be stored. Try again in a moment."
	return s.page(c, http.StatusServiceUnavailable, again)
}

const maxForm = 16 << 10

// formCheckIn is the message of a form: numbers as numbers, and nothing of what was
// left empty.
func formCheckIn(values url.Values) map[string]any {
	message := map[string]any{}
	for name, sent := range values {
		switch name {
		case "symptoms":
			message[name] = sent
		case "time", "phase", "note":
			if sent[0] != "" {
				message[name] = sent[0]
			}
		default:
			if n, err := strconv.ParseFloat(sent[0], 64); err == nil {
				message[name] = n
			} else if sent[0] != "" {
				message[name] = sent[0] // refused by its name
			}
		}
	}
	return message
}
