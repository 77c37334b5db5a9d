#include "http_api/lingering_sockets.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

namespace lockstep {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    server = Descriptor(fds[0]);
    client = Descriptor(fds[1]);
  }
  bool ClientSends(std::size_t bytes) const {
    const std::string text(bytes, 'x');
    return send(client.get(), text.data(), bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes);
  }

  Descriptor server;
  Descriptor client;
};

TEST(LingeringSocketsTest, DropsWhatComesUntilTheClientEnds) {
  Pair pair;
  LingeringSockets sockets;
  const int fd = pair.server.get();
  ASSERT_TRUE(sockets.Add(std::move(pair.server), {}));
  EXPECT_TRUE(sockets.Read(fd));  // Nothing yet.
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(pair.ClientSends(10'000));
    EXPECT_TRUE(sockets.Read(fd));
  }
  pair.client = Descriptor();
  EXPECT_FALSE(sockets.Read(fd));
  EXPECT_FALSE(sockets.NextDeadline());
}

TEST(LingeringSocketsTest, EndsAfterAMebibyte) {
  Pair pair;
  LingeringSockets sockets;
  const int fd = pair.server.get();
  ASSERT_TRUE(sockets.Add(std::move(pair.server), {}));
  int rounds = 0;
  while (rounds < 1000 && pair.ClientSends(16'384) && sockets.Read(fd)) ++rounds;
  EXPECT_EQ(rounds, 63);
  EXPECT_FALSE(pair.ClientSends(1));
}

TEST(LingeringSocketsTest, EndsAfterTwoSeconds) {
  Pair pair;
  LingeringSockets sockets;
  ASSERT_TRUE(sockets.Add(std::move(pair.server), {}));
  ASSERT_TRUE(sockets.NextDeadline());
  const auto end = *sockets.NextDeadline();
  EXPECT_EQ(end, LingeringSockets::Time() + std::chrono::seconds(2));
  sockets.Expire(end - std::chrono::nanoseconds(1));
  EXPECT_TRUE(pair.ClientSends(1));
  sockets.Expire(end);
  EXPECT_FALSE(pair.ClientSends(1));
}

TEST(LingeringSocketsTest, TakesNoMoreThan64) {
  LingeringSockets sockets;
  for (int i = 0; i < 64; ++i) {
    Pair pair;
    EXPECT_TRUE(sockets.Add(std::move(pair.server), {}));
  }
  Pair pair;
  EXPECT_FALSE(sockets.Add(std::move(pair.server), {}));
  EXPECT_FALSE(pair.ClientSends(1));
}

}  // namespace
}  // namespace lockstep
