package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/lift"
)

type exercisesInput struct {
	Group string `query:"group" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"whose volume counts together; hyphens are underscores"`
	Paging
}

func (s *Server) addExercises() {
	add(s, huma.Operation{
		OperationID: "list-exercises", Method: http.MethodGet, Path: "/api/v1/exercises", Tags: []string{"exercises"},
		Summary: "List every exercise of the catalogue, the site's own among them, by id",
	}, permit{ofNobody, everyone}, s.listExercises)
}

func (s *Server) listExercises(_ context.Context, in *exercisesInput) (*answer[list[lift.Exercise]], error) {
	all := s.exercises.All()
	if in.Group != "" {
		group := strings.ReplaceAll(in.Group, "-", "_")
		all = slices.DeleteFunc(all, func(e lift.Exercise) bool { return e.Group != group })
	}
	return cutAnswer(all, in.Paging, func(e *lift.Exercise) string { return string(e.ID) })
}
