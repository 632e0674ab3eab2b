package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

const backupType = "application/zstd"

// backupTimeout is for how long whoever downloads a backup may take nothing.
const backupTimeout = time.Minute

type backupInput struct {
	Samples bool `query:"samples" doc:"true: bar velocity of the last 30 days too"`
}

func (s *Server) addBackup() {
	add(s, huma.Operation{
		OperationID: "download-backup", Method: http.MethodGet, Path: "/api/v1/backup", Tags: []string{"system"},
		Summary: "Download a backup of everything",
		Description: "An archive (tar, Zstandard) of every event up to now and the small files of the data folder, keys and hashes of tokens among them. It ends with a manifest: " +
			"spotter backup downloads and verifies it, spotter restore makes a data folder of it. 409 while another backup is made.",
		Errors: []int{http.StatusConflict},
		Responses: map[string]*huma.Response{"200": {
			Description: "The archive, which is whole only with its manifest",
			Content:     map[string]*huma.MediaType{backupType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, permit{ofAllSites, admins}, s.downloadBackup)
}

func (s *Server) downloadBackup(ctx context.Context, in *backupInput) (*huma.StreamResponse, error) {
	if s.backup == nil {
		return nil, huma.Error503ServiceUnavailable("this server makes no backups")
	}
	if !s.backingUp.TryLock() {
		return nil, huma.Error409Conflict("another backup is being made")
	}
	by := who(ctx).Name
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer s.backingUp.Unlock()
		c := humaecho.Unwrap(hc)
		ctx, cancel := context.WithCancel(c.Request().Context())
		defer cancel()
		defer context.AfterFunc(s.streams.ended, cancel)()
		c.Response().Header().Set("Content-Type", backupType)
		c.Response().Header().Set("Content-Disposition", `attachment; filename="spotter-`+s.now().UTC().Format("2006-01-02")+`.tar.zst"`)
		c.Response().WriteHeader(http.StatusOK)
		w := c.Response().Writer
		err := s.backup(ctx, &patient{w, http.NewResponseController(w)}, in.Samples, by)
		if err == nil {
			s.log.Info("a backup was downloaded", "samples", in.Samples)
			return
		}
		if c.Request().Context().Err() == nil {
			s.log.Error("a backup was cut off", "error", err)
		}
		panic(http.ErrAbortHandler) // so that nobody takes it for whole
	}}, nil
}

// patient writes to a client that may take its time, but not for ever.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

func (p *patient) Write(data []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(backupTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(data)
}
