// A rule's limits as sliders, and what others would have found in the weeks behind.
import { all, el, fill, go, query, style } from '../core.js'
import { asked, editor, ruleName, scopeOf, scopePicker, source, word } from '../limits.js'
import { text } from '../text.js'

export async function mount(root, { me, query: q }) {
  style('pages/rules.css')
  const scope = scopeOf(q, me)
  const rules = (await all('/rules' + query(asked(scope)))).filter(r => r.about.length)
  const rule = rules.find(r => r.rule === q.get('rule')) || rules[0]
  const picker = await scopePicker('/backtest', scope, me, { rule: rule.rule })
  picker.prepend(el('label', {}, el('span', {}, text.backtest.rule), el('select', { onchange: e => go('/backtest' + query({ ...scope, rule: e.target.value })) },
    rules.map(r => el('option', { value: r.rule, selected: r === rule }, ruleName(r.rule))))))
  const said = el('div')
  const draw = () => fill(said, word(rule))
  draw()
  const edit = editor(rule, scope, me, { whole: true, saved: draw })
  fill(root, el('h1', {}, text.nav.backtest), el('p', {}, text.backtest.intro), picker,
    el('section', { class: 'card wide', 'aria-labelledby': 'rule' }, el('div', { class: 'row' }, el('h2', { id: 'rule', class: 'grow' }, ruleName(rule.rule)),
      el('a', { href: '/rules' + query(scope) }, text.nav.rules)), el('p', {}, rule.looks_at), said, edit.node, source(rule)))
  await edit.ready
  return edit.end
}
