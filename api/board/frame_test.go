package board_test

import "testing"

func TestSigningInWithATokenLeadsToThePageThatWasAsked(t *testing.T) {
	s := serve(t)
	b := open(t, s, "/wall", visitor{})
	b.expect(`401.*/api/v1/session`) // nobody is signed in yet
	b.waitText("Sign in")
	b.inspect("sign-in")
	b.enter("Token", "wrong")
	b.press("Sign in")
	b.waitText("the token is not valid")
	b.enter("Token", adminToken)
	b.press("Sign in")
	b.waitText("No sensor has been heard of here yet.")
	b.press("Sign out")
	b.waitText("The first start of the server printed")
}
