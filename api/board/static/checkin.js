// The check-in page with a script: it works without a network, keeps what was reported
// on the phone until it is sent, and warns at the first red flag. Without a script the
// form is sent as it is.
const form = document.querySelector('form')
const said = document.getElementById('said')
const waiting = 'spotter.reports'
const link = decodeURIComponent(location.pathname.split('/')[2] || '')
const words = {
  signIn: 'Sign in first, or open the link or QR code that your coach gave you.',
  kept: 'Kept on this phone. It is sent as soon as there is a network.',
  sent: 'Thank you. Your coach sees your report.',
  gone: 'This link does not work any more. Ask your coach for a new one.',
  refused: 'That cannot be sent: ',
  flag: 'Get medical help now.',
}

let to // where reports go
async function begin() {
  if (!form) return flush()
  if (link) {
    to = '/api/v1/checkin/' + encodeURIComponent(link)
    form.hidden = false
  } else {
    const me = await fetch('/api/v1/session').then(r => r.ok ? r.json() : undefined, () => undefined)
    const athlete = me ? me.athlete : localStorage.getItem('spotter.athlete')
    if (!athlete) { said.textContent = words.signIn; said.append(' ', anchor('/', 'Sign in')); return flush() }
    localStorage.setItem('spotter.athlete', athlete)
    to = `/api/v1/athletes/${athlete}/checkins`
    form.hidden = false
  }
  flush()
}

function anchor(href, text) {
  const a = document.createElement('a')
  a.href = href
  a.textContent = text
  return a
}

// What waits to be sent, each with where it goes. Time and phase identify a report, so
// sending one twice changes nothing.
const held = () => JSON.parse(localStorage.getItem(waiting) || '[]')
const hold = list => localStorage.setItem(waiting, JSON.stringify(list))

let flushing
async function flush() {
  if (flushing) return
  flushing = true
  try {
    for (let list = held(); list.length; list = held()) {
      const [{ to, report }] = list
      let answer
      try {
        answer = await fetch(to, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report) })
      } catch {
        tell(words.kept)
        return
      }
      if (answer.status >= 500 || answer.status === 429 || answer.status === 401) {
        tell(answer.status === 401 ? words.signIn : words.kept)
        return
      }
      const problem = answer.ok ? undefined : await answer.json().catch(() => ({}))
      hold(held().slice(1))
      if (answer.ok) tell(words.sent)
      else tell(answer.status === 404 ? words.gone : words.refused + (problem.detail || answer.status))
    }
  } finally {
    flushing = false
  }
}

function tell(text) {
  if (said) said.textContent = text
}

function reportOf(data) {
  const report = { time: new Date().toISOString() }
  const symptoms = data.getAll('symptoms')
  if (symptoms.length) report.symptoms = symptoms
  for (const name of ['phase', 'note']) if (data.get(name)) report[name] = data.get(name)
  for (const name of ['pain', 'sleep_h', 'stiff_morning_min', 'nutrition', 'soreness', 'stress']) {
    if (data.get(name)) report[name] = Number(data.get(name))
  }
  return report
}

form?.addEventListener('submit', event => {
  event.preventDefault()
  hold([...held(), { to, report: reportOf(new FormData(form)) }])
  const flagged = !document.getElementById('flag').hidden
  form.hidden = true
  tell(words.kept)
  said.tabIndex = -1
  said.focus()
  if (flagged) said.after(document.getElementById('flag'))
  flush()
})
form?.addEventListener('change', () => {
  document.getElementById('flag').hidden = !form.querySelector('[data-flag]:checked')
})
addEventListener('online', flush)
setInterval(flush, 20000)
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/checkin/worker.js', { scope: '/checkin' }).catch(() => {})
begin()
