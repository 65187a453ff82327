/**
 * Loads something at the first call that needs it, once for all who ask meanwhile. A load that failed is reported to those
 * who waited for it and forgotten: the next call tries again.
 */
export function onDemand<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
