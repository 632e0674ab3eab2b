// Every text of the board, in one place. Pages add theirs under a name of their own.
export const text = {
  name: 'Spotter',
  demo: 'Demo: simulated lifters',
  nobody: 'nobody',
  justNow: 'just now',
  ago: (n, what) => `${n} ${what}${n === 1 ? '' : 's'} ago`,
  failed: status => `The server answered ${status}.`,
  offline: 'The server cannot be reached.',
  loading: 'Loading …',
  gone: 'There is no such page.',
  retry: 'Try again',
  save: 'Save', cancel: 'Cancel', close: 'Close', undo: 'Undo', remove: 'Remove', add: 'Add', more: 'Show more',
  yes: 'Yes', no: 'No', none: 'none', reason: 'Reason', note: 'Note', site: 'Site', everySite: 'Every site',
  severity: { info: 'Info', advice: 'Advice', warning: 'Warning', critical: 'Critical', urgent: 'Urgent' },
  state: { open: 'open', acknowledged: 'acknowledged', resolved: 'resolved', retracted: 'retracted', expired: 'expired' },
  fresh: { live: 'live', waiting: 'connecting …', lost: 'connection lost' },
  nav: {
    desk: 'Desk', wall: 'Wall', athletes: 'Athletes', plans: 'Plans', rules: 'Limits', backtest: 'Backtest', devices: 'Devices',
    sites: 'Sites', quarantine: 'Quarantine', deliveries: 'Notifications', access: 'Access',
  },
  signIn: {
    title: 'Sign in', token: 'Token', hint: 'The first start of the server printed the one of the administrator.', button: 'Sign in', out: 'Sign out',
    provider: 'Sign in with your organisation',
  },
  prefer: { unit: 'Unit of loads', theme: 'Colours', themes: { '': 'as the system', light: 'light', dark: 'dark' } },
}
