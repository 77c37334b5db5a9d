// The lock of one service, as its app takes it.
#ifndef LOCKSTEP_LOCKFS_WITH_LOCK_SERVICE_LOCK_H_
#define LOCKSTEP_LOCKFS_WITH_LOCK_SERVICE_LOCK_H_

namespace lockstep {

class ServiceLock {
 public:
  // `file` in the directory `dir`, a descriptor; both outlive it.
  ServiceLock(int dir, const char* file) : dir_(dir), file_(file) {}
  ~ServiceLock() { Release(); }
  ServiceLock(const ServiceLock&) = delete;
  ServiceLock& operator=(const ServiceLock&) = delete;

  // 0: taken. EEXIST: somebody holds it. Else another errno. What a program of this kind left when
  // it was killed is taken over once its command has ended, too.
  int Take();
  // After EEXIST: whether such a program, or what it ran, holds it; no event tells when that ends.
  bool held_by_flock() const { return held_by_flock_; }
  // Removes the file if it is still this one. 0 or the errno; nothing to release is 0.
  int Release();

 private:
  int TakeOver();
  int MakeNamed();  // Where the file system has no unnamed files.

  int dir_;
  const char* file_;
  bool held_by_flock_ = false;
  int fd_ = -1;  // Inherited by the command, with the flock on it.
};

}  // namespace lockstep

#endif  // LOCKSTEP_LOCKFS_WITH_LOCK_SERVICE_LOCK_H_
