// Bring an athlete's training history from a file: look at it first, then import it.
import { all, api, day, el, empty, field, fill, form, get, go, learnNames, moment, named, notice, number, problem, style } from '../core.js'
import { action, check, choice, given, paged, section, sure, table, titled, zoneInput } from '../manage.js'
import { text } from '../text.js'

const t = text.imports
const poll = 300 // milliseconds between looks at an import that is under way

export async function mount(root, { query: asked }) {
  style('pages/imports.css')
  const ending = new AbortController()
  const [athletes, exercises] = await Promise.all([all('/athletes', { signal: ending.signal }), all('/exercises', { signal: ending.signal }), learnNames()])
  const result = el('div', { 'aria-live': 'polite' })
  const recent = paged(cursor => get('/imports' + (cursor ? '?cursor=' + encodeURIComponent(cursor) : '')), drawRecent)
  const names = el('datalist', { id: 'every-exercise' }, exercises.map(e => el('option', { value: e.id }, e.name)))
  let question, turn = 0

  const ask = athletes.length
    ? form({ class: 'import' }, [
      field(t.athlete, choice('athlete', athletes.map(a => [a.id, titled(a)]), asked.get('athlete') || athletes[0].id)),
      field(t.file, el('input', { type: 'file', name: 'file', required: true, accept: '.csv,.txt,.json,.ndjson,.jsonl,text/csv,text/plain,application/json' }), t.fileHint),
      el('details', {}, el('summary', {}, t.more),
        field(t.format, choice('format', [['auto', t.auto], ...Object.entries(t.formats)], 'auto')),
        field(t.dates, choice('dates', [['', t.fileSays], ['day-month', t.dayMonth], ['month-day', t.monthDay]], '')),
        field(t.person, el('input', { name: 'person', maxlength: 200, autocomplete: 'off' }), t.personHint),
        field(t.with, el('input', { type: 'file', name: 'with', accept: '.csv,text/csv' }), t.withHint),
        check('keep_both', t.keepBoth)),
      el('div', { class: 'row' }, field(t.unit, choice('unit', [['', t.fileSays], ['kg', 'kg'], ['lb', 'lb']], '')),
        field(t.zone, zoneInput('zone', '', { placeholder: t.fileSays }), el('button', {
          type: 'button', onclick: event => { event.target.closest('form').elements.zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone },
        }, t.zoneHere)))],
    t.look, async (values, node) => {
      fill(result)
      if ([values.file, values.with].some(f => f?.name && !f.size)) throw new Error(t.emptyFile)
      const files = [values.file, values.with].filter(f => f?.size)
      question = {
        athlete: values.athlete, files: await Promise.all(files.map(async f => ({ bytes: base64(await f.arrayBuffer()) }))), format: values.format,
        unit: values.unit || undefined, zone: values.zone || undefined, dates: values.dates || undefined, person: values.person || undefined, keep_both: node.elements.keep_both.checked || undefined,
      }
      try {
        await run({ ...question, dry_run: true })
      } catch (cause) {
        if (['format', 'files', 'dates', 'person'].includes(cause.field)) node.querySelector('details').open = true
        throw cause
      }
    })
    : empty(el('p', {}, t.nobody), el('a', { href: '/athletes' }, text.athletes.enrol))

  // run sends a question, shows how far it is, and then what came of it.
  async function run(sent) {
    const mine = ++turn
    const bar = el('progress', { 'aria-label': t.progress })
    const says = el('p', { role: 'status' }, sent.dry_run ? t.looking : t.waiting)
    fill(result, says, bar)
    result.scrollIntoView({ block: 'nearest' })
    try {
      let job = (await api('POST', '/imports', sent)).data
      while (job.state === 'waiting' || job.state === 'running') {
        if (job.total) { bar.max = job.total; bar.value = job.done }
        fill(says, job.state === 'waiting' ? t.waiting : job.total ? t.running(number(job.done), number(job.total)) : t.looking)
        await new Promise(done => setTimeout(done, poll))
        if (mine !== turn || ending.signal.aborted) return
        job = await get('/imports/' + job.id)
      }
      if (job.state === 'failed') throw new Error(t.failed(job.failure))
      await show(job, sent)
      if (!sent.dry_run) recent.read()
    } catch (cause) {
      if (mine !== turn || ending.signal.aborted) return
      fill(result)
      throw cause
    }
  }

  async function show(job, sent) {
    const left = paged(cursor => get(`/imports/${job.id}/not-taken` + (cursor ? '?cursor=' + encodeURIComponent(cursor) : '')), drawLeft)
    const o = job.outcome
    const meant = {}
    const unknown = job.exercises.filter(e => !e.known)
    const again = more => async () => {
      question = { ...question, exercises: { ...question.exercises, ...meant }, ...more }
      try { await run({ ...question, ...more }) } catch (cause) { fill(result, problem(cause)) }
    }
    fill(result, section('outcome', sent.dry_run ? t.wouldTitle : t.didTitle,
      el('p', { role: 'status' }, el('strong', {}, t.found(t.formats[job.format] || job.format, number(job.rows), job.from && day(job.from), job.to && day(job.to)))),
      el('ul', {}, Object.entries(t.counts).filter(([k]) => o[k]).map(([k, say]) => el('li', {}, say(number(o[k]))))),
      sent.dry_run && !o.added && !o.changed && !o.taken_back && el('p', {}, t.nothingNew),
      unknown.length > 0 && [el('h3', {}, t.unknown), el('p', { class: 'small' }, t.unknownHint), table(t.unknown, t.unknownHead,
        unknown.map(e => [e.name, number(e.rows), e.exercise, el('input', {
          list: 'every-exercise', 'aria-label': t.means(e.name), value: '', maxlength: 64, autocomplete: 'off', spellcheck: 'false', placeholder: t.meansWhat,
          oninput: event => { if (event.target.value) meant[e.name] = event.target.value; else delete meant[e.name] },
        })])), names],
      el('details', {}, el('summary', {}, t.known(job.exercises.length - unknown.length)), table(t.knownTitle, t.knownHead, job.exercises.filter(e => e.known).map(e => [e.name, e.exercise, number(e.rows)]))),
      el('div', { class: 'row' },
        sent.dry_run && (o.added || o.changed || unknown.length > 0) && action(t.doIt, 'do', again({ dry_run: undefined })),
        !sent.dry_run && [el('a', { href: '/athletes/' + job.athlete }, t.see(named(job.athlete))), !sent.take_back && action(t.takeBack, 'back', () =>
          sure(t.takeBack, t.takeBackHint, t.takeBack, () => run({ ...question, dry_run: undefined, take_back: true })), { danger: true })]),
      o.not_taken > 0 && [el('h3', {}, t.leftTitle(number(o.not_taken))), o.elsewhere > 0 && el('p', { class: 'small' }, t.elsewhere(number(o.elsewhere))), left.node]))
    if (o.not_taken) await left.read()
    result.scrollIntoView({ block: 'nearest' })
    if (!sent.dry_run) notice(sent.take_back ? t.undone : t.done)
  }

  const drawLeft = rows => table(t.left, t.leftHead, rows.map(r => [String(r.line), r.column || '', r.reason]))

  function drawRecent(jobs) {
    if (!jobs.length) return empty(el('p', {}, t.none))
    return table(t.recent, t.recentHead, jobs.map(j => [moment(j.created), el('a', { href: '/athletes/' + j.athlete }, named(j.athlete)), t.formats[j.format] || j.format, j.by,
      j.state === 'done' ? (j.dry_run ? t.looked : j.take_back ? t.counts.taken_back(number(j.outcome.taken_back)) : t.brought(number(j.outcome.added), number(j.outcome.changed)))
        : j.state === 'failed' ? t.failed(j.failure) : t.states[j.state]]))
  }

  fill(root, el('h1', {}, text.nav.imports), el('p', {}, t.intro), section('file', t.title, ask), result, section('recent', t.recent, recent.node),
    section('shell', t.shell, el('p', {}, t.shellHint), given(t.shellLabel, t.command)))
  await recent.read()
  return () => ending.abort()
}

// base64 writes bytes as the API takes them.
function base64(buffer) {
  const bytes = new Uint8Array(buffer)
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(binary)
}
