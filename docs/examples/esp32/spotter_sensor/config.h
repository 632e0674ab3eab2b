// What differs from gym to gym. Keep the password out of version control.
#pragma once

#define WIFI_SSID "gym"
#define WIFI_PASSWORD "change me"

#define BROKER_HOST "192.168.1.10"
#define BROKER_PORT 1883 // with BROKER_CA 8883
#define SITE "main"
#define DEVICE "bar-1"
#define BROKER_USERNAME SITE "/" DEVICE // as printed by spotter device add
#define BROKER_PASSWORD "change me"

// The certificate authority of the broker in PEM, for TLS; without it the password and
// the reps cross the network in the clear.
// #define BROKER_CA "-----BEGIN CERTIFICATE-----\n…"

// Swap the two where lowering the bar counts as lifting it.
#define ENCODER_A 18
#define ENCODER_B 19
#define METRES_PER_STEP 0.0000785f // circumference of the wheel by steps a turn, 4 for each line
#define CUE_PIN 2                  // LED or buzzer
