// A switch for each kind of fault, with its fields. A change takes effect at once; what is switched off keeps what was typed.

import {Refusal, ask, counted, el, find, sentence} from './dom.js'

const GROUPS = [
  ['Not processed', ['before']],
  ['Processed, but slower or with other headers', ['wait', 'header']],
  ['One event', ['mark']],
  ['Processed, but the response fails', ['after']],
]
const cards = new Map()
let changed

/** Make the cards of these forms once, then bring them up to date; `then` is called after each change. */
export function showSwitches(forms, then) {
  changed = then
  if (!cards.size) {
    for (const [title, stages] of GROUPS) {
      const own = forms.filter(form => stages.includes(form.stage))
      own.forEach(form => cards.set(form.kind, new Card(form)))
      find('#switches').append(el('h3', {}, title), el('div', {class: 'switches'}, ...own.map(form => cards.get(form.kind).element)))
    }
    find('#faults-off').addEventListener('click', () => act(() => ask('/_sandbox/faults', 'DELETE')))
  }
  forms.forEach(form => cards.get(form.kind).update(form))
  find('#faults-off').disabled = !forms.some(form => form.on)
}

async function act(change) {
  await change()
  changed()
}

class Card {
  constructor(form) {
    this.kind = form.kind
    const id = `fault-${form.kind}`
    this.toggle = el('button', {
      type: 'button', role: 'switch', class: 'switch', 'aria-checked': 'false', 'aria-labelledby': id, click: () => this.flip(),
    }, el('i', {'aria-hidden': 'true'}))
    this.struck = el('p', {class: 'small struck'})
    this.problem = el('p', {class: 'remark error', role: 'alert', hidden: true})
    this.element = el('form', {
      class: 'fault', autocomplete: 'off', 'aria-labelledby': id, change: () => this.on && this.put(), submit: event => event.preventDefault(),
    },
      el('div', {class: 'title'}, el('h4', {id}, el('code', {}, form.kind)), this.toggle),
      el('p', {class: 'small soft'}, `${sentence(form.about)}.`),
      form.fields.length > 0 && el('div', {class: 'fields'}, ...form.fields.map(field)),
      el('details', {}, el('summary', {class: 'small'}, 'Which requests'), el('div', {class: 'fields'}, ...form.selectors.map(field))),
      this.problem, this.struck)
  }

  get on() {
    return this.toggle.getAttribute('aria-checked') === 'true'
  }

  update(form) {
    const busy = this.element.contains(document.activeElement) && document.activeElement.matches('input, select')
    if (form.on && !busy) {
      for (const {name, kind, value} of [...form.fields, ...form.selectors]) {
        const input = this.element.elements[name]
        if (kind === 'flag') input.checked = value === 'true'
        else input.value = value
      }
    }
    this.toggle.setAttribute('aria-checked', String(form.on))
    this.element.classList.toggle('on', form.on)
    this.problem.hidden = true
    const several = form.specs.length > 1 ? ` ${form.specs.length} of this kind are set elsewhere; a change here replaces them.` : ''
    this.struck.replaceChildren(...(form.on ? [`Active ${counted(form.struck, 'time')}.${several} `,
      ...form.specs.map(spec => el('code', {class: 'spec'}, `--fault ${spec.includes('"') ? `'${spec}'` : spec}`))] : []))
  }

  async flip() {
    if (this.on) await act(() => ask(`/_sandbox/faults/${this.kind}`, 'DELETE'))
    else await this.put()
  }

  async put() {
    const wrong = [...this.element.elements].find(input => input.willValidate && !input.checkValidity())
    if (wrong) {
      const fold = wrong.closest('details')
      if (fold) fold.open = true
      wrong.reportValidity()
      return
    }
    const inputs = [...this.element.elements].filter(input => input.name)
    const given = inputs.map(input => [input.name, input.type === 'checkbox' ? (input.checked ? 'true' : '') : input.value.trim()])
    try {
      await act(() => ask(`/_sandbox/faults/${this.kind}`, 'PUT', Object.fromEntries(given.filter(([, value]) => value))))
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem
      this.problem.textContent = problem.message
      this.problem.hidden = false
    }
  }
}

function field(one) {
  if (one.kind === 'flag') return el('label', {class: 'flag'}, el('input', {type: 'checkbox', name: one.name, checked: one.value === 'true'}), one.label)
  const input = one.kind === 'choice'
    ? el('select', {name: one.name}, el('option', {value: ''}, 'all'), ...one.choices.map(choice => el('option', {}, choice)))
    : el('input', {
      name: one.name, type: one.kind, value: one.value, placeholder: one.hint, required: one.required,
      min: one.kind === 'number' ? one.low : null, max: one.kind === 'number' ? one.high : null, step: one.kind === 'number' ? one.step : null,
    })
  return el('label', {}, one.label, input)
}
