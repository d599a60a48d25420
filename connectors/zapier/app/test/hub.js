'use strict';

// The hub to run against: HUB_URL and HUB_API_KEY say which. No Zapier account and no network beyond that hub.

const zapier = require('zapier-platform-core');

const App = require('../index');

const { HUB_URL, HUB_API_KEY } = process.env;
if (!HUB_URL || !HUB_API_KEY) {
  throw new Error('Set HUB_URL and HUB_API_KEY to a running hub and one of its API keys.');
}

const call = zapier.createAppTester(App);
const bundleWith = (rest = {}) => ({ authData: { hubUrl: HUB_URL, apiKey: HUB_API_KEY }, ...rest });

module.exports = { App, HUB_URL, HUB_API_KEY, bundleWith, call };
