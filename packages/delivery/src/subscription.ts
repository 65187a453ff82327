const MAX_LENGTH = '(?=.{1,128}$)';
const DOTTED = '[a-z0-9_]+(?:\\.[a-z0-9_]+)*';

/** Dotted lower case, at most 128 characters: `drift.created`. */
export const eventTypePattern = new RegExp(`^${MAX_LENGTH}${DOTTED}$`);

/** What an endpoint may subscribe to: everything (`*`), one exact type, or a prefix (`drift.*`). */
export const subscriptionPattern = new RegExp(`^${MAX_LENGTH}(?:\\*|${DOTTED}(?:\\.\\*)?)$`);

export function isSubscriptionPattern(text: string): boolean {
  return subscriptionPattern.test(text);
}

/** `webhook.*` is Driftwire's own namespace; producers may not use it. */
export function isReservedEventType(eventType: string): boolean {
  return eventType.startsWith('webhook.');
}

/**
 * Every pattern that matches this event type, widest first: `drift.a.b` → `*`, `drift.*`, `drift.a.*`, `drift.a.b`.
 * An endpoint is subscribed exactly if its patterns overlap these, so fan-out is one array overlap in SQL.
 */
export function subscriptionPatterns(eventType: string): string[] {
  const segments = eventType.split('.');
  const prefixes = segments.slice(1).map((_, index) => `${segments.slice(0, index + 1).join('.')}.*`);
  return ['*', ...prefixes, eventType];
}
