export { createLiveScreen, type LiveScreen, type Output } from './live-screen.js';
export { type Color, choosePaint, type Paint } from './paint.js';
export { createTable, type PlainTable } from './plain-table.js';
export { createScreen, type Screen } from './screen.js';
