// Elements, words and requests. Whatever was received becomes text here, never markup: nothing in these scripts reads HTML.

const SVG = 'http://www.w3.org/2000/svg'

function filled(made, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function') made.addEventListener(name, value)
    else made.setAttribute(name, value === true ? '' : value)
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false))
  return made
}

/** An element: attributes, functions as listeners of the event they are named for, then children; strings are text. */
export const el = (tag, given = {}, ...children) => filled(document.createElement(tag), given, children)
export const svg = (tag, given = {}, ...children) => filled(document.createElementNS(SVG, tag), given, children)

export const find = (selector, within = document) => within.querySelector(selector)
export const number = count => count.toLocaleString('en')
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`
export const sentence = words => words.slice(0, 1).toUpperCase() + words.slice(1)

/** The time of day of Unix seconds, with its date where it is not today's. */
export function moment(seconds) {
  if (seconds === null || seconds === undefined) return '…'
  const at = new Date(seconds * 1000)
  const time = at.toLocaleTimeString('en-GB')
  const day = at.toLocaleDateString('en-GB', {day: 'numeric', month: 'short', year: 'numeric'})
  return at.toDateString() === new Date().toDateString() ? time : `${day}, ${time}`
}

/** Set text only where it differs, so that a live region and a selection are left alone. */
export function setText(element, words) {
  if (element.textContent !== words) element.textContent = words
}

/** Replace the children of an element; what has the focus there keeps it, found again by its `data-key`. */
export function remake(element, ...children) {
  const key = element.contains(document.activeElement) && document.activeElement.dataset.key
  element.replaceChildren(...children)
  if (key) [...element.querySelectorAll('[data-key]')].find(one => one.dataset.key === key)?.focus({preventScroll: true})
}

/** A word about an outcome with its sign, so that nothing is said by colour alone. */
export const chip = (kind, words) => {
  const signs = {good: '✓', bad: '✕', warn: '!', plain: '·'}
  return el('span', {class: `chip ${kind}`}, el('i', {'aria-hidden': 'true'}, signs[kind]), words)
}

/** A table cell whose name stands beside it where there is no head. */
export const cell = (of, given, ...children) => el('td', {role: 'cell', 'data-of': of, ...given}, ...children)

/** The sandbox answered no, in its words. */
export class Refusal extends Error {}

/** Nobody answered. */
export class Unreachable extends Error {}

/** The JSON of an answer. A file is sent as CSV, anything else as JSON. */
export async function ask(address, method = 'GET', body = undefined) {
  const sent = body instanceof Blob ? {headers: {'Content-Type': 'text/csv'}, body} :
    {headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body ?? {})}
  const changing = method === 'GET' ? {} : sent
  let answer, content
  try {
    answer = await fetch(address, {method, cache: 'no-store', ...changing})
    content = await answer.json()
  } catch (problem) {
    throw new Unreachable('The sandbox does not respond.', {cause: problem})
  }
  if (!answer.ok) throw new Refusal(content.message)
  return content
}
