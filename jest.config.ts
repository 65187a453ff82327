/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

/**
 * Three projects, run as three invocations by `npm test` (see scripts/test.mjs): nock patches `http` for a whole
 * process, so the wire tests never share one with tests that use real sockets.
 */
const base = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  moduleNameMapper: {
    '^@driftwire/([a-z-]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
} satisfies Config;

const config: Config = {
  // Real processes on a busy machine: what a test waits for has a deadline of its own.
  testTimeout: 30_000,
  // Tests that wait for leases wait at the same time (`test.concurrent`).
  maxConcurrency: 10,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,packages}/*/src/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.wire\\.test\\.ts$'],
    },
    { ...base, displayName: 'wire', testMatch: ['<rootDir>/packages/*/src/**/*.wire.test.ts'] },
    {
      ...base,
      displayName: 'integration',
      testMatch: ['<rootDir>/{apps,packages}/*/test/**/*.test.ts'],
      globalSetup: '<rootDir>/packages/testing/dist/global-setup.js',
      globalTeardown: '<rootDir>/packages/testing/dist/global-teardown.js',
    },
  ],
};

export default config;
