// Rows that keep coming, newest first: events and requests; and one event in full.

import {Refusal, ask, cell, chip, counted, el, find, moment, number, sentence} from './dom.js'

const MOST = 1000

/** A table of rows that is read from `source`; `make` gives a row's element, `filters` what to ask for. */
export class Rows {
  constructor(view, source, make, filters) {
    this.source = source
    this.make = make
    this.filters = filters
    this.table = find('.rows', view)
    this.body = find('tbody', this.table)
    this.empty = find('[data-empty]', view)
    this.older = find('.older', view)
    this.older.addEventListener('click', () => this.readOlder())
    this.epoch = 0
    this.clear()
  }

  /** Forget the rows; what is on its way is not for these any more. */
  clear() {
    this.epoch += 1
    this.reading = false
    this.newest = this.oldest = 0
    this.known = null
    this.body.replaceChildren()
  }

  async read(given) {
    const {epoch} = this
    const answer = await ask(`${this.source}?${new URLSearchParams({...this.filters(), ...given})}`)
    return epoch === this.epoch ? answer : null
  }

  /** Read all of them again, as for other filters. */
  async reload() {
    this.clear()
    await this.refresh(null)
  }

  /** Read what came since; `mark` is how much there is, to see whether anything did. */
  async refresh(mark) {
    if (this.reading || (mark !== null && mark === this.known)) return
    this.reading = true
    const {epoch} = this
    try {
      const first = this.newest === 0
      const answer = await this.read(first ? {} : {after: this.newest})
      if (answer) this.showRows(answer, first, mark)
    } finally {
      if (epoch === this.epoch) this.reading = false
    }
  }

  showRows(answer, first, mark) {
    this.known = mark
    const made = answer.rows.map(row => this.make(row))
    if (!first) made.forEach(row => row.classList.add('new'))
    if (first || answer.more) {
      this.body.replaceChildren(...made)
      this.older.hidden = !answer.more
      this.oldest = answer.rows.at(-1)?.place ?? 0
    } else {
      this.body.prepend(...made)
      while (this.body.rows.length > MOST) this.body.rows[this.body.rows.length - 1].remove()
      this.oldest = Number(this.body.rows[this.body.rows.length - 1]?.dataset.place ?? 0)
    }
    this.newest = answer.rows[0]?.place ?? this.newest
    this.table.hidden = !this.body.rows.length
    this.empty.hidden = !this.table.hidden
  }

  async readOlder() {
    const answer = await this.read({before: this.oldest})
    if (!answer) return
    this.body.append(...answer.rows.map(row => this.make(row)))
    this.oldest = answer.rows.at(-1)?.place ?? this.oldest
    this.older.hidden = !answer.more || this.body.rows.length >= MOST
  }
}

const outcome = row => [
  row.status === 'failed' ? chip('bad', 'failed') : chip('good', 'processed'),
  row.duplicate && chip('plain', 'duplicate'),
  row.warning && !row.error && chip('warn', 'warning'),
]

/** A row of the events; `address` is where it is in full. */
export const eventRow = (row, address) => el('tr', {role: 'row', 'data-place': row.place},
  el('th', {scope: 'row', role: 'rowheader', class: 'value'}, el('a', {href: address, class: 'whole'}, row.event_name || '(empty)')),
  cell('', {class: 'value'}, el('code', {}, row.event_id || '(empty)')),
  cell('', {class: 'source'}, row.action_source),
  cell('', {class: 'time'}, moment(row.at)),
  cell('', {class: 'outcome'}, el('div', {class: 'chips'}, ...outcome(row)),
    (row.error || row.warning) && el('div', {class: 'soft small'}, row.error || row.warning)),
)

function answerChip(row) {
  if (row.status === null) return chip('bad', 'no response')
  if (row.status === 422) return chip('warn', '422')
  return chip(row.status < 300 ? 'good' : 'bad', String(row.status))
}

function amounts(row) {
  if (row.operation) return `${row.operation} of ${counted(row.records, 'record')}`
  if (!row.events) return ''
  const ended = [row.processed && `${number(row.processed)} processed`, row.failed && `${number(row.failed)} failed`].filter(Boolean)
  return `${counted(row.events, 'event')}${ended.length ? `: ${ended.join(', ')}` : ''}`
}

const ended = row => (!row.failed ? 'accepted' : row.processed ? 'some of its events failed' : 'its events failed')

/** A row of the requests; `address` is where its events are. */
export const requestRow = (row, address) => el('tr', {role: 'row', 'data-place': row.place},
  el('th', {scope: 'row', role: 'rowheader'}, el('b', {}, `${number(row.number)} `), el('span', {class: 'soft'}, `${row.method} ${row.endpoint}`)),
  cell('', {}, el('div', {class: 'chips'}, answerChip(row), row.test && chip('plain', 'test'))),
  cell('', {}, row.processed + row.failed && !row.test ? el('a', {href: address}, amounts(row)) : amounts(row)),
  cell('', {class: 'time'}, moment(row.at)),
  cell('', {class: 'outcome value'}, row.refused && el('div', {}, row.refused),
    row.faults.length > 0 && el('div', {class: 'chips'}, ...row.faults.map(name => chip('warn', `fault: ${name}`))),
    !row.refused && !row.faults.length && el('span', {class: 'soft'}, ended(row))),
)

const remark = one => el('p', {class: `remark ${one.kind}`}, el('i', {'aria-hidden': 'true'}, one.kind === 'error' ? '✕' : '!'),
  el('b', {}, `${sentence(one.kind)}: `), one.message)

function line(one, remarks) {
  const row = el('div', {class: 'line'},
    one.key && el('span', {class: 'name'}, `${one.key}: `), el('span', {class: 'literal'}, one.text), one.end)
  row.style.setProperty('--depth', one.depth)
  const below = [
    one.digest && el('p', {class: 'remark digest'}, 'SHA-256 of a value that is not known here'),
    ...remarks.filter(each => each.path === one.path && each.path).map(remark),
  ].filter(Boolean)
  below.forEach(each => each.style.setProperty('--depth', one.depth))
  return [row, ...below]
}

/** Show one event in full in the dialog. */
export async function showEvent(place) {
  const body = find('#event-body')
  let event
  try {
    event = await ask(`/_sandbox/page/events/${place}`)
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem
    find('#event-title').textContent = 'This event is no longer in memory'
    find('#event-eyebrow').textContent = ''
    body.replaceChildren(el('p', {}, problem.message))
    return
  }
  const fact = (name, ...words) => el('div', {}, el('dt', {}, name), el('dd', {}, ...words))
  const copy = navigator.clipboard && el('button', {type: 'button', class: 'button', click: async () => {
    await navigator.clipboard.writeText(event.json)
    copy.textContent = 'Copied'
  }}, 'Copy JSON')
  find('#event-eyebrow').textContent = `Event ${number(event.place)}`
  find('#event-title').textContent = JSON.parse(event.json).event_name || '(empty)'
  body.replaceChildren(
    el('div', {class: 'chips'}, ...outcome(event).filter(Boolean)),
    ...event.remarks.filter(each => !each.path).map(remark),
    el('dl', {class: 'facts'},
      fact('Received', moment(event.at)),
      fact('Request', el('a', {href: `#events?request=${event.request}`}, `${number(event.request)}, position ${event.position + 1}`)),
      fact('Ad account', event.ad_account_id)),
    el('div', {class: 'title'}, el('h3', {}, 'As received'), copy),
    el('div', {class: 'json', role: 'group', 'aria-label': 'The event as JSON'}, ...event.lines.flatMap(one => line(one, event.remarks))),
  )
}
