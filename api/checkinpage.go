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

	checkInPage = template.Must(template.New("checkin").Parse(checkInHTML))
)

// checkInPolicy lets the page load its style, and send its form, here only.
const checkInPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type choice struct{ Value, Text string }

// form is what the check-in page shows. It needs no script.
type form struct {
	Gone, Done, Urgent       bool
	Error, Time, Phase       string
	Phases, Symptoms, Scales []choice
	Scores, Fives            []int
}

var (
	phaseChoices = []choice{
		{"before", "Before training"}, {"during", "During training"}, {"after", "After training"},
		{"next_morning", "The morning after"}, {"daily", "Any other day"},
	}
	symptomChoices = []choice{
		{"radiating", "Pain runs down a leg"}, {"numbness", "A numb spot"}, {"tingling", "Pins and needles"},
		{"saddle_numbness", "Numb between the legs, where a saddle would be"}, {"bladder_bowel", "Trouble holding or passing water or stool"},
		{"progressive_weakness", "A leg or foot gets weaker"}, {"bilateral_leg", "Signs in both legs"},
		{"trauma", "After a fall or blow"}, {"fever", "Fever"}, {"weight_loss", "Weight lost without trying"},
		{"night_pain", "Pain at night that no position eases"}, {"sudden_severe", "Sudden and very strong pain"},
		{"eases_with_movement", "It eases when I move"}, {"eases_with_rest", "It eases when I rest"},
	}
	scaleChoices = []choice{
		{"nutrition", "Food yesterday, from 1 (far too little) to 5 (very good)"},
		{"soreness", "Sore muscles, from 1 (none) to 5 (very)"}, {"stress", "Stress, from 1 (none) to 5 (very much)"},
	}
)

func (s *Server) addCheckInPage() {
	s.echo.GET("/checkin/:token", s.showForm)
	s.echo.POST("/checkin/:token", s.takeForm)
	s.echo.GET("/checkin.css", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/css; charset=utf-8", checkInStyle) })
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
	f.Phases, f.Symptoms, f.Scales = phaseChoices, symptomChoices, scaleChoices
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
