// Files out of the page: a picture, a pose, a video of the motion.

import { marked } from './provenance.js';

const KINDS = ['video/mp4;codecs=avc1.42E01E', 'video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];

/** Offers a file for download. */
export function download(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A canvas as a PNG, which says if it is synthetic. */
export function pictureOf(canvas, synthetic) {
  // Not `toBlob`: Chromium leaves that for when the page is idle, which may be seconds away.
  const [, content] = canvas.toDataURL('image/png').split(',');
  const png = new Blob([Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0))], { type: 'image/png' });
  return synthetic ? marked(png) : png;
}

/** A pose file as the command line reads it. */
export function poseFile(pose, { width, height }) {
  const joints = pose.map(([x, y, seen]) => [Number(x.toFixed(2)), Number(y.toFixed(2)), Number(seen.toFixed(3))]);
  return new Blob([JSON.stringify({ width, height, fps: 0, poses: [{ joints }] })], { type: 'application/json' });
}

/** The kind of video that this browser writes, or undefined. */
export const videoKind = () =>
  (typeof MediaRecorder === 'undefined' ? undefined : KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)));

// Bits a pixel and second: 6 million bits for a picture of 1280 x 960.
const BITS = 5;

/** Films a canvas while `play` runs: a video. */
export async function filmed(canvas, kind, play) {
  const videoBitsPerSecond = Math.max(6e6, BITS * canvas.width * canvas.height);
  const stream = canvas.captureStream(), recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve, reject) => Object.assign(recorder, { onstop: resolve, onerror: reject }));
  recorder.start();
  await play();
  recorder.stop();
  await stopped;
  stream.getTracks().forEach((track) => track.stop());
  return new Blob(parts, { type: kind.split(';')[0] });
}
