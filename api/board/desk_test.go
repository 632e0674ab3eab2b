package board_test

import "testing"

// The desk shows what is open and where everybody is, and takes an answer in place.
func TestACoachAnswersAnAlertAtTheDesk(t *testing.T) {
	b := open(t, demo(t), "/", visitor{})
	b.waitText("Demo Ana")
	b.until(`document.querySelectorAll('table.team tbody tr').length >= 6`)
	b.until(`!!document.querySelector('.alert')`)
	b.inspect("desk")
	title := eval[string](b, `document.querySelector('.alert h3').textContent`)
	here := `[...document.querySelectorAll('.alert')].find(a => a.querySelector('h3').textContent === ` + quoted(title) + `)`
	eval[bool](b, `(() => { `+here+`.querySelector('input').value = 'seen to'; return true })()`)
	eval[bool](b, `([...`+here+`.querySelectorAll('button')].find(x => x.textContent === 'Acknowledge').click(), true)`)
	b.until(`!` + here)
	eval[bool](b, `(() => { const s = document.querySelectorAll('.filters select')[1]; s.value = 'acknowledged'; s.dispatchEvent(new Event('change')); return true })()`)
	b.until(`!!` + here)
	b.waitText("Acknowledged by demo")
	b.waitText("seen to")
}
