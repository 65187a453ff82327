const MAX_CAUSES = 5;

/**
 * What a log line tells of an error, and nothing else. Libraries hang whole requests on their errors (ioredis the command
 * with its password, Prisma the failing row), so properties are named here one by one instead of copied.
 */
export type LoggedError = {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
};

export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(isTold(error.cause) && depth < MAX_CAUSES ? { cause: loggedError(error.cause, depth + 1) } : {}),
  };
}

/** An object that is no error may hold anything. */
function isTold(cause: unknown): boolean {
  return cause instanceof Error || (cause !== undefined && typeof cause !== 'object');
}
