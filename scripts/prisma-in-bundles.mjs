// @ts-check
import { readFileSync } from 'node:fs';

// What the bundles change of Prisma, for memory's sake. A build fails when a new version looks different.

/** Prisma's debug log keeps the last hundred calls, whether it is on or not: whole statements with what is stored by them. */
const KEPT_CALLS = /\b(\w+)\.length\s*>\s*(\w+)(?:\)\s*\{\s*|&&)\1\.shift\(\)/;
const BASE64 = /\bwasm\s*=\s*"([A-Za-z0-9+/=]+)"/;

/** @type {import('esbuild').Plugin} */
export const prismaInBundles = {
  name: 'prisma-in-bundles',
  setup(build) {
    build.onLoad({ filter: /@prisma\/(debug\/dist\/index\.m?js|client\/runtime\/client\.m?js)$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const [, , limit] = KEPT_CALLS.exec(source) ?? [];
      const contents = source.replace(new RegExp(`\\b${limit}\\s*=\\s*100\\b`), `${limit}=0`);
      if (contents === source) throw new Error(`${path}: where does it keep what it has been called with?`);
      return { contents, loader: 'js' };
    });

    // A text of 4.6 MB, which Node would keep twice. Read from a file it is there for as long as it is being compiled.
    build.onResolve({ filter: /^\.\/query_compiler\.wasm$/ }, ({ path, pluginData }) => ({
      path,
      namespace: 'wasm',
      pluginData,
    }));
    build.onLoad({ filter: /.*/, namespace: 'wasm' }, ({ pluginData }) => ({
      contents: Buffer.from(pluginData, 'base64'),
      loader: 'file',
    }));
    build.onLoad({ filter: /@prisma\/client\/runtime\/[\w.]+\.wasm-base64\.m?js$/ }, ({ path }) => {
      const [, text] = BASE64.exec(readFileSync(path, 'utf8')) ?? [];
      if (text === undefined) throw new Error(`${path}: where is the module?`);
      return {
        contents: `import { readFileSync } from 'node:fs';
import file from './query_compiler.wasm';
export const wasm = readFileSync(new URL(file, import.meta.url)).toString('base64');`,
        loader: 'js',
        pluginData: text,
      };
    });
  },
};
