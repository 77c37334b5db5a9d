#include "own_container.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

const std::string kId(64, 'a');

std::string Hostname(const std::string& root) {
  return "665 651 0:52 / / rw,relatime - overlay overlay rw\n"
         "674 665 254:1 " +
         root + " /etc/hostname rw,relatime - ext4 /dev/vda1 rw\n";
}

TEST(ContainerOfMountsTest, KnowsTheDirectoryThatAnEngineMountsFrom) {
  EXPECT_EQ(ContainerOfMounts(Hostname("/var/lib/docker/containers/" + kId + "/hostname")), kId);
  EXPECT_EQ(ContainerOfMounts(Hostname("/docker/containers/" + kId + "/hostname")), kId);
  EXPECT_EQ(ContainerOfMounts(
                Hostname("/containers/storage/overlay-containers/" + kId + "/userdata/hostname")),
            kId);
}

TEST(ContainerOfMountsTest, FindsNoneOnAHost) {
  EXPECT_EQ(ContainerOfMounts(""), "");
  EXPECT_EQ(ContainerOfMounts("665 651 0:52 / / rw,relatime - ext4 /dev/vda1 rw\n"), "");
  // What another container has mounted there is not this one's.
  EXPECT_EQ(ContainerOfMounts("674 665 254:1 /docker/containers/" + kId +
                              "/hostname /mnt/hostname rw - ext4 /dev/vda1 rw\n"),
            "");
  EXPECT_EQ(ContainerOfMounts(Hostname("/docker/containers/0123/hostname")), "");
  EXPECT_EQ(ContainerOfMounts("broken /etc/hostname\n\n  \n"), "");
}

}  // namespace
}  // namespace lockstep
