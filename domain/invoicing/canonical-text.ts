import { hash } from 'node:crypto';

/**
 * Plain data as JSON text in one form: without spaces, members by the code units of their names, those that are undefined left out. The
 * same data are the same bytes, however they were put together.
 */
export function canonicalText(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  return Array.isArray(value) ? arrayText(value) : objectText(value as Readonly<Record<string, unknown>>);
}

function arrayText(elements: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < elements.length; i++) text += (i === 0 ? '' : ',') + canonicalText(elements[i]);
  return `${text}]`;
}

function objectText(members: Readonly<Record<string, unknown>>): string {
  let text = '{';
  for (const name of inOrder(Object.keys(members))) {
    const member = members[name];
    if (member === undefined) continue;
    text += (text === '{' ? '' : ',') + labelOf(name) + canonicalText(member);
  }
  return `${text}}`;
}

/** Most are in their order already, which is seen sooner than sorted. */
function inOrder(names: string[]): string[] {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] ?? '') > (names[i] ?? '')) return names.sort();
  return names;
}

const LABELS_MAX = 1_000;
const labels = new Map<string, string>();

/** Names are few, and come again in every document. */
function labelOf(name: string): string {
  let label = labels.get(name);
  if (label === undefined) {
    label = `${quoted(name)}:`;
    if (labels.size < LABELS_MAX) labels.set(name, label);
  }
  return label;
}

/** Printable ASCII without what JSON escapes, as most texts are, stands as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** SHA-256 of a text's UTF-8, in hex. */
export const hashOfText = (text: string): string => hash('sha256', text, 'hex');
