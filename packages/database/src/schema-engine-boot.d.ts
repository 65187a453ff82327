/** What wasm-bindgen's glue exports and its declarations leave out, and the little of WebAssembly that booting needs. */
import '@prisma/schema-engine-wasm/schema_engine_bg';

declare module '@prisma/schema-engine-wasm/schema_engine_bg' {
  export function __wbg_set_wasm(exports: Record<string, unknown>): void;
}

declare global {
  namespace WebAssembly {
    type Instance = { exports: Record<string, unknown> };
    function instantiate(wasm: Uint8Array, imports: Record<string, object>): Promise<{ instance: Instance }>;
  }
}
