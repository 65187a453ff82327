import { type ChildSpan, childSpans, type JsonSpan } from './json-span.js';

/** The text of an object without one of its members and the comma that joined it; every other byte as it was. */
export function removeMember(objectText: string, key: string): string {
  const members = childSpans(objectText, objectText.indexOf('{'));
  return textWithoutMember(objectText, { object: { start: 0, end: objectText.length }, members, key });
}

/** The same for an object that stands in a text and has been walked. */
export function textWithoutMember(
  text: string,
  { object, members, key }: { object: JsonSpan; members: ReadonlyMap<string | number, ChildSpan>; key: string },
): string {
  const member = members.get(key);
  if (!member) return text.slice(object.start, object.end);
  const spans = [...members.values()];
  const index = spans.indexOf(member);
  const next = spans[index + 1];
  const [from, to] = next ? [member.from, next.from] : [spans[index - 1]?.end ?? member.from, member.end];
  return text.slice(object.start, from) + text.slice(to, object.end);
}

/** The text of an object with one more member behind its last; every other byte as it was. */
export function appendMember(objectText: string, key: string, jsonValue: string): string {
  const beforeBrace = objectText.slice(0, objectText.lastIndexOf('}'));
  const end = beforeBrace.trimEnd().length;
  const comma = beforeBrace[end - 1] === '{' ? '' : ',';
  return `${objectText.slice(0, end)}${comma}${JSON.stringify(key)}:${jsonValue}${objectText.slice(end)}`;
}
