// Preloaded into the browser of the tests: it does not hear of networks that come and go.
//
// Chromium gives up every connection that is being made when an address of the machine changes (ERR_NETWORK_CHANGED). The
// tests start and stop containers all the time, and each of them brings a network interface. Chromium hears of them by a
// netlink socket, and takes the network for steady where there is no such thing (`AddressTrackerLinux` in its sources).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

int socket(int family, int type, int protocol) {
  if (family == AF_NETLINK) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
  return next(family, type, protocol);
}
