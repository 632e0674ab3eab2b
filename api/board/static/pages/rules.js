// The limits of every rule, for everybody, a site, a team or an athlete.
import { all, el, fill, query, style } from '../core.js'
import { asked, editor, limitName, mayChange, ruleName, said, scopeOf, scopePicker, source, word } from '../limits.js'
import { text } from '../text.js'

const t = text.rules

export async function mount(root, { me, query: q }) {
  style('pages/rules.css')
  const scope = scopeOf(q, me)
  const ends = []
  const picker = await scopePicker('/rules', scope, me)
  fill(root, el('h1', {}, text.nav.rules), el('p', {}, t.intro), picker)
  const rules = await all('/rules' + query(asked(scope)))
  root.append(...rules.map(card))

  function card(rule) {
    const facts = el('div')
    const place = el('div')
    const button = el('button', { 'aria-expanded': 'false', 'aria-controls': 'edit-' + rule.rule, onclick: toggle }, t.change)
    let open
    function toggle() {
      if (open) {
        open.end()
        open = undefined
        fill(place)
      } else {
        open = editor(rule, scope, me, { saved: draw })
        ends.push(open.end)
        fill(place, open.node)
      }
      fill(button, open ? text.close : mayChange(scope, me) ? t.change : t.test)
      button.setAttribute('aria-expanded', String(Boolean(open)))
    }
    const draw = () => fill(facts, rule.about.length > 0 && el('dl', { class: 'facts' }, rule.about.map(about => {
      const usual = JSON.stringify(rule.limits[about.name]) === JSON.stringify(rule.defaults[about.name])
      return el('div', {}, el('dt', {}, limitName(rule.rule, about.name)), el('dd', {}, el('strong', {}, said(about, rule.limits[about.name])),
        !usual && el('span', { class: 'soft' }, ` (${t.usual.toLowerCase()} ${said(about, rule.defaults[about.name])})`),
        rule.own && about.name in rule.own && el('span', { class: 'own' }, t.own)))
    })), rule.about.length > 0 && word(rule))
    draw()
    if (!mayChange(scope, me)) fill(button, t.test)
    return el('section', { class: 'card rule', 'aria-labelledby': 'rule-' + rule.rule },
      el('div', { class: 'row' }, el('h2', { id: 'rule-' + rule.rule, class: 'grow' }, ruleName(rule.rule)),
        rule.about.length > 0 && [button, el('a', { href: '/backtest' + query({ rule: rule.rule, ...scope }), 'aria-label': `${t.wide}: ${ruleName(rule.rule)}` }, t.wide)]),
      el('p', {}, rule.looks_at), facts, rule.about.length ? null : el('p', { class: 'soft' }, t.none), source(rule), el('div', { id: 'edit-' + rule.rule }, place))
  }

  return () => { for (const end of ends) end() }
}
