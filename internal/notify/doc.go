// Package notify tells people and bars what the log says of alerts: coaches and
// athletes through their channels (chat, mail, push, webhook), whoever listens on
// MQTT, and the bar itself.
//
// # Guarantees
//
//  1. What has to be told is in the outbox in the same transaction as the position
//     in the log up to which that was decided: no step of an alert is passed over or
//     decided twice, whatever is killed when.
//  2. A delivery leaves the outbox only once the other side has taken it, or after
//     three days: at least once. A message that is sent again has the same key.
//  3. Each channel has a worker of its own, and each attempt a limit: a channel that
//     hangs or refuses delays no other, nor the monitor or the view.
//  4. What is urgent is not grouped, waits for no quiet hours, and no budget holds it
//     back.
//
// Which alerts interrupt anybody is analysis.Policy's decision alone. The outbox is
// notify.db in the data folder: one that is new begins at the log's end, so that an
// old history tells nobody.
package notify
