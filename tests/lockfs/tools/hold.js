// Takes a lock as an app in JavaScript does, says "ready", and gives it back when its standard input ends.
//
//     hold.js TOOL    in the lock directory; status 3 where the lock cannot be had
'use strict';
const tools = {
  'npm-lockfile': (done) => {
    const lockfile = require('lockfile');
    lockfile.lock('updates.lock', {wait: 300}, (error) => done(error, () => lockfile.unlockSync('updates.lock')));
  },
  'proper-lockfile': (done) => {
    const lockfile = require('proper-lockfile');
    lockfile.lock('updates', {realpath: false}).then(
      (release) => done(null, () => release()), (error) => done(error));
  },
};
tools[process.argv[2]]((error, release) => {
  if (error) {
    console.error(error.message);
    process.exit(3);
  }
  console.log('ready');
  process.stdin.resume();
  process.stdin.on('end', release);
});
