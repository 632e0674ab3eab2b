package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

const (
	linkLife = 24 * time.Hour
	// qrPixels is the width of a QR code: sharp on a tablet, and small.
	qrPixels = 320
)

// checkInLink is a way for an athlete's phone to report without signing in.
type checkInLink struct {
	Athlete lift.AthleteID `json:"athlete"`
	URL     string         `json:"url" doc:"open it on the athlete's phone"`
	Token   string         `json:"token" doc:"the last part of the URL; shown once, only its hash is kept"`
	QR      string         `json:"qr" doc:"the URL as a QR code: a data: URL of a PNG"`
	Uses    int            `json:"uses" doc:"how many check-ins it takes"`
	Expires time.Time      `json:"expires"`
}

type linkWish struct {
	Uses  int `json:"uses,omitzero" minimum:"1" maximum:"1000" default:"1" doc:"how many check-ins it takes"`
	Hours int `json:"hours,omitzero" minimum:"1" maximum:"8784" default:"24" doc:"for how long"`
}

type linkInput struct {
	AthletePath
	Body *linkWish

	request *http.Request
}

// Resolve notes the request, whose host is what the caller reaches the server by.
func (in *linkInput) Resolve(ctx huma.Context) []error {
	in.request = humaecho.Unwrap(ctx).Request()
	return nil
}

// TokenPath is a check-in link's token in an operation's path.
type TokenPath struct {
	Token string `path:"token" maxLength:"100"`
}

type linkedCheckIn struct {
	TokenPath
	RawBody []byte `contentType:"application/json"`
}

// invitation is what a check-in link is for. It does not tell who it is by name.
type invitation struct {
	Athlete lift.AthleteID `json:"athlete"`
	Site    lift.SiteID    `json:"site,omitzero"`
	Zone    string         `json:"zone" doc:"the athlete's time zone"`
	Uses    int            `json:"uses" doc:"how many check-ins it still takes"`
	Expires time.Time      `json:"expires"`
}

func (s *Server) addLinks() {
	path := "/api/v1/athletes/{id}/checkin-links"
	add(s, huma.Operation{
		OperationID: "create-checkin-link", Method: http.MethodPost, Path: path, Tags: []string{"athletes"}, DefaultStatus: http.StatusCreated,
		Errors:      []int{http.StatusConflict},
		Summary:     "Make a link for an athlete's phone, with its QR code",
		Description: "Whoever has it can report for this athlete, once unless said otherwise, and see nothing.",
	}, permit{ofAthlete, everyone}, s.createLink)
	by := "/api/v1/checkin/{token}"
	gone := []int{http.StatusNotFound, http.StatusTooManyRequests}
	add(s, huma.Operation{
		OperationID: "get-checkin-link", Method: http.MethodGet, Path: by, Tags: []string{"links"}, Errors: gone,
		Summary: "Tell what a check-in link is for",
	}, permit{ofNobody, anybody}, s.getLink)
	add(s, huma.Operation{
		OperationID: "use-checkin-link", Method: http.MethodPost, Path: by, Tags: []string{"links"}, DefaultStatus: http.StatusCreated,
		SkipValidateBody: true, Errors: append(gone, http.StatusGone, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType),
		Summary:     "Report by a check-in link",
		Description: "The same body as over MQTT. The link counts only what is new: repeating a check-in answers 200 as long as the link is there.",
	}, permit{ofNobody, anybody}, s.useLink)
	s.also(by, http.MethodPost, map[int]string{http.StatusOK: "It was there already", http.StatusAccepted: "Stored, but not applied within 2 seconds"})
	s.bodyOf(by, http.MethodPost, "CheckIn", reflect.TypeFor[lift.CheckIn]())
}

func (s *Server) createLink(ctx context.Context, in *linkInput) (*answer[checkInLink], error) {
	wish := linkWish{Uses: 1, Hours: int(linkLife / time.Hour)}
	if in.Body != nil {
		wish = *in.Body
	}
	link, err := s.link(in.ID, s.base(in.request), wish.Uses, time.Duration(wish.Hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	return &answer[checkInLink]{http.StatusCreated, link}, nil
}

// base is the address under which people reach the server.
func (s *Server) base(r *http.Request) string {
	if s.publicURL != "" {
		return s.publicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// link makes a check-in link that leads to a server at base.
func (s *Server) link(athlete lift.AthleteID, base string, uses int, life time.Duration) (checkInLink, error) {
	now := s.now().UTC()
	token := access.Token{
		Name: "link-" + strings.ToLower(rand.Text()[:12]), Role: access.RoleCheckIn, Athlete: athlete, Expires: now.Add(life), Uses: uses,
	}
	text, err := s.auth.tokens.Create(token, now)
	if err != nil {
		return checkInLink{}, err
	}
	link := checkInLink{Athlete: athlete, URL: strings.TrimSuffix(base, "/") + "/checkin/" + text, Token: text, Uses: uses, Expires: token.Expires}
	if link.QR, err = qrCode(link.URL); err != nil {
		return checkInLink{}, err
	}
	return link, nil
}

// CheckInLink makes a one-time link for a reminder; it is empty where nobody has
// said under which address people reach the server.
func (s *Server) CheckInLink(athlete lift.AthleteID) (string, error) {
	if s.publicURL == "" {
		return "", nil
	}
	link, err := s.link(athlete, s.publicURL, 1, linkLife)
	return link.URL, err
}

func qrCode(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw qr code: %w", err)
	}
	if code, err = barcode.Scale(code, qrPixels, qrPixels); err != nil {
		return "", fmt.Errorf("draw qr code: %w", err)
	}
	var image bytes.Buffer
	if err := png.Encode(&image, code); err != nil {
		return "", fmt.Errorf("draw qr code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(image.Bytes()), nil
}

// errNoLink does not tell a link that is used up from one that never was.
func errNoLink() error {
	return huma.Error404NotFound("this link does not work any more; ask for a new one")
}

// linked finds a check-in link by its token.
func (s *Server) linked(ctx context.Context, text string) (access.Token, error) {
	t, ok, err := s.auth.tokens.Peek(text, s.now())
	if err != nil {
		return t, err
	}
	if !ok || t.Role != access.RoleCheckIn {
		return t, errNoLink()
	}
	return t, nil
}

func (s *Server) getLink(ctx context.Context, in *TokenPath) (*answer[invitation], error) {
	t, err := s.linked(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	site, err := s.view.SiteOf(ctx, t.Athlete)
	return &answer[invitation]{http.StatusOK, invitation{t.Athlete, site, s.roster.Zone(t.Athlete).String(), t.Uses, t.Expires}}, err
}

func (s *Server) useLink(ctx context.Context, in *linkedCheckIn) (*answer[lift.CheckInRecord], error) {
	t, err := s.linked(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, identityKey{}, identity{Name: "athlete:" + string(t.Athlete), Role: access.RoleCheckIn, Athlete: t.Athlete})
	return s.report(ctx, t.Athlete, "", bytes.Clone(in.RawBody), func() error {
		_, ok, err := s.auth.tokens.Take(in.Token, s.now())
		if err == nil && !ok {
			err = errNoLink()
		}
		return err
	})
}
