#include "with_lock.h"

int main(int argc, char** argv) { return lockstep::WithLockMain(argc, argv); }
