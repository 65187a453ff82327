import { childSpans } from './json-span.js';

/** The text of an object without one of its members and the comma that joined it; every other byte as it was. */
export function removeMember(objectText: string, key: string): string {
  const members = [...childSpans(objectText, objectText.indexOf('{'))];
  const index = members.findIndex(([name]) => name === key);
  const member = members[index]?.[1];
  if (!member) return objectText;
  const previous = members[index - 1]?.[1];
  const next = members[index + 1]?.[1];
  if (next) return cutOut(objectText, member.from, next.from);
  return cutOut(objectText, previous?.end ?? member.from, member.end);
}

/** The text of an object with one more member behind its last; every other byte as it was. */
export function appendMember(objectText: string, key: string, jsonValue: string): string {
  const beforeBrace = objectText.slice(0, objectText.lastIndexOf('}'));
  const end = beforeBrace.trimEnd().length;
  const comma = beforeBrace[end - 1] === '{' ? '' : ',';
  return `${objectText.slice(0, end)}${comma}${JSON.stringify(key)}:${jsonValue}${objectText.slice(end)}`;
}

function cutOut(text: string, from: number, to: number): string {
  return text.slice(0, from) + text.slice(to);
}
