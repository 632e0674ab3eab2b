#pragma once
#include <Arduino.h>

enum { WIFI_STA = 1, WL_CONNECTED = 3 };
struct WiFiClass {
  void mode(int) {}
  void setAutoReconnect(bool) {}
  void begin(const char *, const char *) {}
  int status() { return WL_CONNECTED; }
  int RSSI() { return -60; }
};
extern WiFiClass WiFi;
class WiFiClient {};
