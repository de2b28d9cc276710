// The page: asks every second what is new, shows it in the view that is open, and follows the address for views, filters and the event.

import {Unreachable, ask, counted, el, find, number, setText} from './dom.js'
import {showChart, showGroups} from './history.js'
import {showLists} from './lists.js'
import {Rows, eventRow, requestRow, showEvent} from './rows.js'
import {showSwitches} from './switches.js'

const EVERY = 1000
const SPOKEN_EVERY = 5000
const VIEWS = ['history', 'events', 'requests', 'lists', 'faults']

let marks = {}
let latest = null
let received = null
let paused = false
let asking = null
let waiting = null
let spokenAt = -SPOKEN_EVERY

// The address: #events?name=checkout&event=12

function address() {
  const [view, query] = location.hash.slice(1).split('?')
  return {view: VIEWS.includes(view) ? view : null, query: new URLSearchParams(query)}
}

const to = (view, query) => `#${view}${query.size ? `?${query}` : ''}`

function withEvent(place) {
  const {query} = address()
  query.set('event', place)
  return to('events', query)
}

let view = null
const forms = {events: find('#event-filters'), requests: find('#request-filters')}
const filled = form => Object.fromEntries([...new FormData(form)].filter(([, value]) => value))
const rows = {
  events: new Rows(find('#view-events'), '/_sandbox/page/events', row => eventRow(row, withEvent(row.place)), () => filled(forms.events)),
  requests: new Rows(find('#view-requests'), '/_sandbox/page/requests', row => requestRow(row, `#events?request=${row.number}`),
    () => filled(forms.requests)),
}

function fillForm(form, query) {
  let differs = false
  for (const input of form.elements) {
    if (!input.name) continue
    const value = query.get(input.name) ?? ''
    if (input.value === value) continue
    differs = true
    if (input.tagName === 'SELECT' && ![...input.options].some(option => option.value === value)) input.append(el('option', {}, value))
    input.value = value
  }
  return differs
}

async function follow() {
  const {view: wanted, query} = address()
  if (wanted === null && view !== null) return
  const before = view
  view = wanted ?? 'history'
  for (const name of VIEWS) find(`#view-${name}`).hidden = name !== view
  for (const link of document.querySelectorAll('.views a')) {
    if (link.hash === `#${view}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  const place = view === 'events' && query.get('event')
  query.delete('event')
  if (forms[view] && (fillForm(forms[view], query) || before !== view)) await rows[view].reload()
  const dialog = find('#event')
  if (place) {
    await showEvent(place)
    if (!dialog.open) dialog.showModal()
    dialog.scrollTop = 0
  } else if (dialog.open) dialog.close()
  await show()
}

for (const [name, form] of Object.entries(forms)) {
  const filter = () => {
    history.replaceState(null, '', to(name, new URLSearchParams(filled(form))))
    rows[name].reload()
  }
  form.addEventListener('input', filter)
  form.addEventListener('reset', () => queueMicrotask(() => {
    for (const input of form.elements) if (input.name) input.value = ''
    filter()
  }))
  form.addEventListener('submit', event => event.preventDefault())
}
addEventListener('hashchange', follow)

// On a phone the filters are folded until they are wanted.
find('[data-fold]').open = matchMedia('(min-width: 40.01rem)').matches

// What is shown

const tiles = ['Requests', 'Events processed', 'Events failed', 'Requests rejected'].map(about => {
  const made = el('div', {}, el('dt', {}, about), el('dd'), el('dd', {class: 'more'}))
  find('#tiles').append(made)
  return (count, more, isBad = false) => {
    const [value, rest] = made.querySelectorAll('dd')
    setText(value, number(count))
    setText(rest, more)
    value.classList.toggle('bad-text', isBad && count > 0)
  }
})

function showTotals() {
  const count = name => received.counters[name] ?? 0
  const lost = count('status_none')
  const [requests, processed, failed, rejected] = tiles
  requests(latest.requests, `${number(latest.in_flight)} in flight`)
  processed(count('events_processed'), counted(count('duplicates'), 'duplicate'))
  failed(count('events_failed'), `${number(count('events_with_warning'))} with a warning`, true)
  rejected(received.rejected, `${lost ? number(lost) : 'none'} without a response`, true)
  if (performance.now() - spokenAt >= SPOKEN_EVERY) {
    setText(find('#spoken'), `${counted(latest.requests, 'request')}, ${counted(count('events_processed'), 'event')} processed, `
      + `${number(count('events_failed'))} failed, ${counted(received.rejected, 'request')} rejected.`)
    spokenAt = performance.now()
  }
}

function showNames() {
  const select = forms.events.elements.name
  const known = new Set([...select.options].map(option => option.value))
  const names = new Set(received.groups.map(group => group.event_name).filter(name => name && !known.has(name)))
  select.append(...[...names].sort().map(name => el('option', {value: name}, name)))
}

function showFaults(faults) {
  const on = faults.filter(form => form.on)
  find('#faults-on').hidden = !on.length
  setText(find('#faults-on b'), `${counted(on.length, 'fault')} on`)
  find('#faults-on p').replaceChildren(...on.flatMap(form => form.specs.map(spec => el('code', {}, spec))))
  setText(find('[data-count=faults]'), on.length ? `${on.length} on` : '')
  showSwitches(faults, () => poll())
}

async function show() {
  if (!latest || !received) return
  showTotals()
  find('#waiting').hidden = latest.requests > 0 || view === 'faults'
  find('#chart-card').hidden = find('#groups-card').hidden = !latest.requests
  setText(find('[data-count=events]'), number(latest.events))
  setText(find('[data-count=requests]'), number(latest.requests))
  if (view === 'history') showChart(received, latest.now)
  if (rows[view]) await rows[view].refresh(`${latest.resets}.${latest.requests}.${latest.events}`)
}

async function showChanges(given) {
  if (latest && latest.resets !== given.resets) Object.values(rows).forEach(each => each.clear())
  latest = given
  marks = given.marks
  if (given.accounts) {
    const settings = {api_url: `${location.origin}/v5`, ad_account_id: given.accounts[0] ?? '', conversion_token: '…'}
    find('#settings').textContent = JSON.stringify(settings, null, 2)
  }
  if (given.received) {
    received = given.received
    showGroups(received, group => to('events', new URLSearchParams({name: group.event_name, source: group.action_source})))
    showNames()
  }
  if (given.lists) {
    setText(find('[data-count=lists]'), number(given.lists.lists_total))
    showLists(given.lists)
  }
  if (given.faults) showFaults(given.faults)
  await show()
}

function say(kind, words) {
  find('#state').className = `pill ${kind}`
  setText(find('#state span'), words)
}

async function readChanges() {
  try {
    await showChanges(await ask(`/_sandbox/page/changes?${new URLSearchParams(marks)}`))
    say(paused ? 'paused' : 'live', paused ? 'Paused' : 'Live')
  } catch (problem) {
    say('unreachable', problem instanceof Unreachable ? 'Not running' : 'Not readable')
    marks = {}
    if (!(problem instanceof Unreachable)) console.error(problem)
  }
}

/** Ask now, and again in a second; one question at a time. */
async function poll() {
  while (asking) await asking
  asking = readChanges().finally(() => { asking = null })
  await asking
  clearTimeout(waiting)
  if (!paused && !document.hidden) waiting = setTimeout(poll, EVERY)
}

// Whoever asked while the sandbox was away needs no other word than the one at the top.
addEventListener('unhandledrejection', event => {
  if (!(event.reason instanceof Unreachable)) return
  event.preventDefault()
  poll()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !paused) poll()
})

// What is changed

find('#pause').addEventListener('click', event => {
  paused = !paused
  event.target.setAttribute('aria-pressed', String(paused))
  setText(event.target, paused ? 'Resume' : 'Pause')
  poll()
})
find('#forget').addEventListener('click', () => find('#sure').showModal())
find('#forget-now').addEventListener('click', async () => {
  find('#sure').close()
  await ask('/_sandbox/reset', 'POST')
  await poll()
})
for (const dialog of document.querySelectorAll('dialog')) {
  find('[data-close]', dialog).addEventListener('click', () => dialog.close())
  dialog.addEventListener('click', event => event.target === dialog && dialog.close())
}
find('#event').addEventListener('close', () => {
  const {view: open, query} = address()
  if (!query.has('event')) return
  query.delete('event')
  history.replaceState(null, '', to(open, query))
})

await follow()
await poll()
