import type { z } from 'zod';

const NOUNS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

const COUNTED: Record<string, string> = { string: 'characters', array: 'entries' };

/**
 * What is wrong, where the schema has no words of its own for it: the validation library's must not reach an answer. They
 * read behind a pointer, like the schemas'.
 */
export function wordsFor(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? 'of another type'}`;
    case 'too_small':
      return bound(`at least ${issue.minimum}`, issue.origin);
    case 'too_big':
      return bound(`at most ${issue.maximum}`, issue.origin);
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'uuid' ? 'must be a UUID' : 'does not have the right form';
    default:
      return 'is not acceptable';
  }
}

function bound(limit: string, origin: string): string {
  const counted = COUNTED[origin];
  return counted === undefined ? `must be ${limit}` : `must have ${limit} ${counted}`;
}
